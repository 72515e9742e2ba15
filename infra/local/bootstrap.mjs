// `npm start`, `npm test`, `npm run conformance`, `npm run clean` from a bare clone. Runs on Node 20 or newer and on nothing else: it installs the
// packages where they are missing or not those of package-lock.json, then hands over to the Node that the project pins.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const modules = join(root, 'node_modules');
const pinnedNode = join(modules, 'node', 'bin', 'node');
const installing = join(root, '.installing');

/** Whether each package that package-lock.json asks for is there in its version. */
function packagesAreCurrent() {
  try {
    const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
    const present = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8')).packages;
    return Object.entries(wanted).every(
      ([path, { version, optional }]) =>
        path === '' || optional === true || present[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** One installation at a time in a clone; the file of one that was killed does not count. */
async function takeTurn() {
  for (let tries = 0; ; tries += 1) {
    try {
      const file = openSync(installing, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = existsSync(installing) ? Number(readFileSync(installing, 'utf8')) : 0;
    if (holder > 0 && !isAlive(holder)) rmSync(installing, { force: true });
    else if (tries === 0) console.log('  … another start is installing the packages, waiting');
    await sleep(300);
  }
}

function npm(args) {
  const cli = process.env.npm_execpath;
  const [program, before] = cli?.endsWith('.js') ? [process.execPath, [cli]] : ['npm', []];
  return new Promise((resolve, reject) => {
    const from = Date.now();
    const seconds = () => `${Math.round((Date.now() - from) / 1000)}s`;
    const timer = setInterval(() => console.log(`  … npm packages: ${seconds()}`), 10_000);
    const child = spawn(program, [...before, ...args], { cwd: root, stdio: 'inherit' });
    child.on('error', reject);
    child.on('exit', (code) => {
      clearInterval(timer);
      if (code === 0) resolve(seconds());
      else reject(new Error(`npm ${args[0]} ended with ${code}`));
    });
  });
}

async function installPackages() {
  await takeTurn();
  try {
    if (packagesAreCurrent()) return;
    console.log('  … npm packages, as package-lock.json says');
    const took = await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
    console.log(`  ✓ npm packages (${took})`);
  } finally {
    rmSync(installing, { force: true });
  }
}

/** The pinned Node comes by an install script of its package, which some machines do not run. */
function nodeToUse() {
  const works = () => spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' }).status === 0;
  if (works()) return pinnedNode;
  console.log('  … Node 24, by hand, as its install script did not run');
  spawnSync(process.execPath, ['installArchSpecificPackage.js'], {
    cwd: join(modules, 'node'),
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (works()) return pinnedNode;
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  throw new Error('Node 24 could not be installed; install it yourself and try again.');
}

function handOver(node, command, args) {
  const entry = join(root, 'infra', 'local', `${command}.ts`);
  const child = spawn(node, ['--disable-warning=ExperimentalWarning', entry, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

const [command = 'start', ...args] = process.argv.slice(2);
try {
  if (!['start', 'test', 'conformance', 'clean'].includes(command))
    throw new Error(`There is no command ${command}.`);
  if (!packagesAreCurrent()) await installPackages();
  handOver(nodeToUse(), command, args);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
