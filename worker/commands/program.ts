import { Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };

/**
 * The command for people. Each subcommand loads what it needs when it is called, so that `--help` answers at once.
 */
const program = new Command('imageferry')
  .description('Copies, inspects and verifies container images; needs no cluster.')
  .version(manifest.version)
  .configureHelp({ optionDescription: described })
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 done in part, 75 failed but may pass by itself, 130 interrupted.',
  )
  .showHelpAfterError('(--help tells the usage)')
  .configureOutput({ outputError: (text, write) => write(text) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));

/** What an option does, with its choices and a default that says something: that a flag is not set goes without saying. */
function described({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`];
  const preset = typeof defaultValue === 'string' ? [`default: ${defaultValue}`] : [];
  const repeats = Array.isArray(defaultValue) ? ['may be repeated'] : [];
  const notes = [...choices, ...preset, ...repeats];
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}

/** Options of every command that talks to a registry. */
function withRegistryOptions(command: Command): Command {
  return command
    .addOption(
      repeatable('--insecure <host>', 'speak plain http to this registry (the default for this machine)'),
    )
    .addOption(
      repeatable(
        '--realm <origin>',
        'token server, besides the registry itself, that may see the credential',
      ),
    )
    .option('--ca <file>', 'PEM certificates to trust besides the system’s')
    .option('--allow-private', 'let registries point to private addresses', false)
    .option('--authfile <file>', 'docker config with credentials (default: the one of docker login)')
    .option('--json', 'print one JSON object per image, one a line', false)
    .option('-q, --quiet', 'no progress', false);
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description)
    .default([])
    .argParser((value: string, before: readonly string[]) => [...before, value]);
}

withRegistryOptions(
  program
    .command('copy <source> <targets...>')
    .description('copy an image to one or more places: host/path:tag, host/path@digest or oci:DIR:tag')
    .option('-a, --all-tags', 'copy every tag of the source repository', false)
    .addOption(repeatable('-p, --platform <platform>', 'only this platform, such as linux/arm64'))
    .addOption(
      new Option('--platform-mode <mode>', 'keep the index digest (sparse) or make a new index (rewrite)')
        .choices(['sparse', 'rewrite'])
        .default('rewrite'),
    )
    .addOption(repeatable('--mount-from <path>', 'repository of the target that may hold some of the layers'))
    .option('--bandwidth <bytes>', 'bytes per second, such as 500k or 20M')
    .option('--recheck', 'check and repair a target whose tag is right already', false)
    .option('--no-referrers', 'leave signatures and other attachments behind')
    .option('--gc-settle <seconds>', 'how long a garbage collection of the target may run', '0')
    .option('--gc-deletes-untagged', 'hold what is being copied with a staging tag', false),
).action(async (source: string, targets: string[], options) => {
  const { copyCommand } = await import('./copy.ts');
  process.exitCode = await copyCommand(source, targets, options);
});

withRegistryOptions(
  program
    .command('inspect <image>')
    .description('tell what an image is, without pulling its layers: host/path:tag or oci:DIR:tag'),
).action(async (image: string, options) => {
  const { inspectCommand } = await import('./inspect.ts');
  process.exitCode = await inspectCommand(image, options);
});

withRegistryOptions(
  program
    .command('verify <image>')
    .description('check that every part of an image is there and readable: host/path:tag or oci:DIR:tag')
    .option('--deep', 'read and hash every byte instead of the last one of each blob', false),
).action(async (image: string, options) => {
  const { verifyCommand } = await import('./verify.ts');
  process.exitCode = await verifyCommand(image, options);
});

program
  .command('audit')
  .description('the audit log (S3_ENDPOINT, S3_BUCKET and the AWS keys say where it is)')
  .command('verify')
  .description('find any change, gap or reorder in the audit log; exits 1 where there is one')
  .addOption(
    repeatable('--public-key <file>', 'PEM key that checkpoints may be signed with; older ones, too'),
  )
  .option('--stream <name>', 'only this stream')
  .option('--json', 'print JSON', false)
  .action(async (options) => {
    const { auditVerifyCommand } = await import('./audit.ts');
    process.exitCode = await auditVerifyCommand(options);
  });

const podsHelp =
  'sign with it what the site’s Pods use: the output of kubectl get pods -A -o json, or - to be handed it';
const bundle = program.command('bundle').description('carry images to a site without a network');

withRegistryOptions(
  bundle
    .command('import <path>')
    .description('verify a bundle (directory or tar), push it to the site’s registry, write a signed receipt')
    .requiredOption('--registry <host>', 'the site’s registry: host[:port]')
    .requiredOption('--state <folder>', 'what this site remembers; made by: imageferry trust pin')
    .option('--dry-run', 'check everything and say what would happen', false)
    .option('--accept-clock', 'go on although the clock contradicts what was signed', false)
    .option('--pods <file>', podsHelp),
).action(async (path: string, options) => {
  const { bundleImportCommand } = await import('./bundle-import.ts');
  process.exitCode = await bundleImportCommand(path, options);
});

bundle
  .command('fetch <site> <number>')
  .description(
    'fetch a bundle as an OCI layout directory (S3_ENDPOINT, S3_BUCKET and the AWS keys say from where, or --api)',
  )
  .requiredOption('--root <file>', 'the newest trust root: what to believe')
  .requiredOption('--to <folder>', 'the directory to make; run again, a cut-off fetch goes on')
  .option('--api <url>', 'fetch from the API at this address instead of the bucket')
  .option('--token-file <file>', 'file with a bearer token for it')
  .option('--json', 'print one JSON object', false)
  .action(async (site: string, number: string, options) => {
    const { bundleFetchCommand } = await import('./bundle-fetch.ts');
    process.exitCode = await bundleFetchCommand(site, number, options);
  });

withRegistryOptions(
  bundle
    .command('inventory')
    .description('sign what the site’s registry has, so that a bundle can carry only the rest')
    .requiredOption('--registry <host>', 'the site’s registry: host[:port]')
    .requiredOption('--state <folder>', 'what this site remembers; made by: imageferry trust pin')
    .addOption(
      repeatable('--repository <path>', 'only this repository (default: all that the registry lists)'),
    )
    .option('--pods <file>', podsHelp)
    .requiredOption('--out <file>', 'where to write it'),
).action(async (options) => {
  const { bundleInventoryCommand } = await import('./bundle-inventory.ts');
  process.exitCode = await bundleInventoryCommand(options);
});

bundle
  .command('inspect <path>')
  .description('tell what a bundle carries')
  .option('--state <folder>', 'verify the signature against the trust pinned there')
  .option('--json', 'print one JSON object', false)
  .action(async (path: string, options) => {
    const { bundleInspectCommand } = await import('./bundle-inspect.ts');
    process.exitCode = await bundleInspectCommand(path, options);
  });

program
  .command('receipt')
  .description('what sites send back')
  .command('apply <file>')
  .description('bring a receipt or an inventory to the hub: the next bundle builds on what it proves')
  .option('--api <url>', 'the API’s address')
  .option('--token-file <file>', 'file with a bearer token')
  .option('--bucket', 'leave it in the bucket, where the hub finds it (S3_ENDPOINT, S3_BUCKET)', false)
  .action(async (path: string, options) => {
    const { receiptApplyCommand } = await import('./receipt.ts');
    process.exitCode = await receiptApplyCommand(path, options);
  });

const trust = program.command('trust').description('keys and roots that bundles are signed with');

trust
  .command('keygen <name>')
  .description('make a key pair: <name>.pem and <name>.pub.pem')
  .action(async (name: string) => {
    const { trustKeygenCommand } = await import('./trust.ts');
    process.exitCode = await trustKeygenCommand(name);
  });

trust
  .command('root')
  .description('make and sign a trust root; with --previous, the one that follows it')
  .option('--previous <file>', 'the root to follow; what is not named stays as it is there')
  .addOption(repeatable('--root-key <file>', 'public key that may sign the next root'))
  .addOption(repeatable('--bundle-key <file>', 'public key that may sign bundles'))
  .option('--root-threshold <count>', 'root keys that have to sign (default: as before, else 1)')
  .option('--bundle-threshold <count>', 'bundle keys that have to sign (default: as before, else 1)')
  .addOption(repeatable('--sign <file>', 'private key to sign with; a successor needs old and new root keys'))
  .option('--reset-sequence', 'sites forget the last sequence: after a stolen key signed a high one', false)
  .requiredOption('--out <file>', 'where to write it')
  .action(async (options) => {
    const { trustRootCommand } = await import('./trust.ts');
    process.exitCode = await trustRootCommand(options);
  });

trust
  .command('sign <root>')
  .description('add signatures to a root whose keys are not all in one place')
  .option('--previous <file>', 'the root that it follows: its keys have to sign as well')
  .addOption(repeatable('--sign <file>', 'private key to sign with'))
  .action(async (path: string, options) => {
    const { trustSignCommand } = await import('./trust.ts');
    process.exitCode = await trustSignCommand(path, options);
  });

trust
  .command('pin <root>')
  .description('give a site its first trust, and its own key for receipts')
  .requiredOption('--site <name>', 'the site’s name')
  .requiredOption('--state <folder>', 'where the site remembers')
  .option('--fingerprint <digest>', 'the digest that the root’s file must have')
  .option('--sequence-floor <number>', 'last sequence known to be at the site, where its state was lost')
  .action(async (path: string, options) => {
    const { trustPinCommand } = await import('./trust.ts');
    process.exitCode = await trustPinCommand(path, options);
  });

// Without `await`: the packaged command is one file of the older module kind.
void program.parseAsync();
