import { manifestFile } from '../../domain/bundle/file-set.ts';
import { parseStatement } from '../../domain/bundle/parse-statement.ts';
import { humanSize } from '../../domain/human-size.ts';
import { maxEnvelopeBytes, parseEnvelope } from '../../domain/trust/envelope.ts';
import { readSmall } from '../../infra/layout/bundle-medium.ts';
import { openBundleMedium } from '../../infra/layout/open-medium.ts';
import { SiteFolder } from '../../infra/layout/site-folder.ts';
import { openStatementFile } from '../../infra/layout/verify-bundle.ts';
import { exitCode, runCommand } from './outcome.ts';

/** Options of `imageferry bundle inspect`. */
export interface BundleInspectOptions {
  readonly state?: string;
  readonly json: boolean;
}

/** `imageferry bundle inspect <path>`: tells what a bundle says; with `--state` only after its signature was verified. */
export function bundleInspectCommand(path: string, options: BundleInspectOptions): Promise<number> {
  return runCommand(options.json, async () => {
    const medium = await openBundleMedium(path);
    try {
      const bytes = await readSmall(medium, manifestFile, maxEnvelopeBytes);
      const envelope = parseEnvelope(bytes);
      const verified = options.state !== undefined;
      const statement = verified
        ? openStatementFile(bytes, await new SiteFolder(options.state ?? '').root()).statement
        : parseStatement(envelope);
      if (options.json) {
        console.log(
          JSON.stringify({ verified, signedBy: envelope.signatures.map(({ keyid }) => keyid), statement }),
        );
        return exitCode.done;
      }
      const base = statement.base === undefined ? 'full' : `delta on ${statement.base.sequence}`;
      console.log(`${statement.site} bundle ${statement.sequence} (${base}), expires ${statement.expires}`);
      console.log(`${statement.blobs.length} blobs, ${humanSize(statement.totalBytes)} carried`);
      for (const { repo, tag, digest } of statement.images) console.log(`${repo}:${tag} ${digest}`);
      console.log(verified ? 'signature: valid' : 'signature: not checked (give --state)');
      return exitCode.done;
    } finally {
      await medium.close();
    }
  });
}
