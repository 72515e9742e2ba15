import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type { RepositoryEndpoint } from '../../../infra/copy/engine.ts';
import { RegistryClients } from '../../../infra/registry/registry-client.ts';
import { createCopyEngine } from '../../../infra/registry/registry-copy-engine.ts';
import { RegistryStore } from '../../../infra/registry/registry-store.ts';
import { startRegistryProcess, type RegistryProcess } from '../registry-process.ts';
import { pushSample, randomBlob, sampleImage, sampleIndex } from '../sample-image.ts';

/** What a run of kills came to. The last three lists must be empty. */
export interface KillReport {
  readonly kills: number;
  /** Kills after the first byte reached the target and before its tag stood. */
  readonly amid: number;
  /** Repositories that were completed in the end, each read back byte by byte. */
  readonly completed: number;
  readonly brokenTags: readonly string[];
  readonly corrupt: readonly string[];
  /** With what the last, undisturbed run said and how long it took. */
  readonly stuck: readonly string[];
}

/** How a run of the command ended. */
interface CopyEnd {
  readonly ok: boolean;
  /** Exit code or signal, duration and last words, for the report. */
  readonly said: string;
}

const program = join(import.meta.dirname, '..', '..', '..', 'worker', 'imageferry.ts');
const killsPerRepository = 5;
/** Bytes a second, so that a copy takes long enough to be hit anywhere. */
const bandwidth = '8M';

/** Kills `imageferry copy` between two real registries again and again, at random moments. */
export class KillRun {
  readonly #clients = new RegistryClients({ breakAfter: 1000 });
  readonly #engine = createCopyEngine(this.#clients);
  readonly #source: RegistryProcess;
  readonly #target: RegistryProcess;
  readonly #state: string;
  readonly #report = {
    kills: 0,
    amid: 0,
    completed: 0,
    brokenTags: [] as string[],
    corrupt: [] as string[],
    stuck: [] as string[],
  };
  /** Milliseconds of an undisturbed copy: until its first request to the target, and from there to the end. */
  #calm = { startMs: 0, copyMs: 0 };

  private constructor(source: RegistryProcess, target: RegistryProcess, state: string) {
    this.#source = source;
    this.#target = target;
    this.#state = state;
  }

  static async start(): Promise<KillRun> {
    const [source, target] = await Promise.all([startRegistryProcess(), startRegistryProcess()]);
    const run = new KillRun(source, target, await mkdtemp(join(tmpdir(), 'imageferry-kills-')));
    await run.#fill();
    const started = performance.now();
    let begun = 0;
    await run.#copy('kill/calm', (elapsed) => {
      begun = elapsed;
      return undefined;
    });
    run.#calm = { startMs: begun, copyMs: performance.now() - started - begun };
    return run;
  }

  async kill(kills: number, lanes: number, tell?: (report: KillReport) => void): Promise<KillReport> {
    let repositories = 0;
    const lane = async (): Promise<void> => {
      while (this.#report.kills < kills) {
        repositories += 1;
        await this.#oneRepository(`kill/n${repositories}`, kills);
        tell?.(this.#report);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
    return this.#report;
  }

  async stop(): Promise<void> {
    await this.#clients.close();
    await Promise.all([
      this.#source.stop(),
      this.#target.stop(),
      rm(this.#state, { recursive: true, force: true }),
    ]);
  }

  async #fill(): Promise<void> {
    const base = randomBlob(3_000_000);
    const images = [
      sampleImage([base, randomBlob(2_000_000), randomBlob(500)]),
      sampleImage([base, randomBlob(700_000)]),
    ];
    const index = sampleIndex(
      images.map(({ manifest }, at) => ({ manifest, platform: at === 0 ? 'linux/amd64' : 'linux/arm64' })),
    );
    const store = new RegistryStore(
      this.#clients.of(this.#endpoint(this.#source, 'kill/app').registry),
      parseRepositoryPath('kill/app'),
      'destination',
    );
    await pushSample(
      store,
      images.flatMap(({ blobs }) => blobs),
      [...images.map(({ manifest }) => manifest), index],
      'v1',
    );
  }

  async #oneRepository(path: string, kills: number): Promise<void> {
    for (let count = 0; count < killsPerRepository && this.#report.kills < kills; count += 1) {
      // One in five may die before it has asked anything of the target.
      const early = Math.random() < 0.2;
      const { ok } = early
        ? await this.#copy(path, undefined, this.#calm.startMs * Math.random())
        : await this.#copy(path, () => this.#calm.copyMs * 1.1 * Math.random());
      const tagged = await this.#checkTag(path);
      if (ok) break;
      this.#report.kills += 1;
      if (this.#begun(path) && !tagged) this.#report.amid += 1;
      if (tagged) break;
    }
    await this.#converge(path);
  }

  /** The tag of a repository, if it stands, must be on a whole image. */
  async #checkTag(path: string): Promise<boolean> {
    const endpoint = this.#endpoint(this.#target, path);
    const root = await this.#engine.resolve(endpoint, parseTag('v1'));
    if (root === undefined) return false;
    await this.#engine
      .verifyGraph(endpoint, root.digest)
      .catch((error: unknown) => this.#report.brokenTags.push(`${path}: ${String(error)}`));
    return true;
  }

  async #converge(path: string): Promise<void> {
    const last = await this.#copy(path);
    if (!last.ok || !(await this.#checkTag(path))) {
      this.#report.stuck.push(`${path}: ${last.said}`);
      return;
    }
    const endpoint = this.#endpoint(this.#target, path);
    const [wanted, root] = await Promise.all([
      this.#engine.resolve(this.#endpoint(this.#source, 'kill/app'), parseTag('v1')),
      this.#engine.resolve(endpoint, parseTag('v1')),
    ]);
    if (root === undefined || root.digest !== wanted?.digest)
      this.#report.stuck.push(`${path}: another digest`);
    else {
      await this.#engine.verifyGraph(endpoint, root.digest, { deep: true }).then(
        () => (this.#report.completed += 1),
        (error: unknown) => this.#report.corrupt.push(`${path}: ${String(error)}`),
      );
    }
  }

  /** Whether the target has anything of a repository. */
  #begun(path: string): boolean {
    return existsSync(join(this.#target.folder, 'data', 'docker', 'registry', 'v2', 'repositories', path));
  }

  /**
   * Runs the command; resolves with how it ended. It is killed `killAfterMs` after its start, or as long
   * after its first trace at the target as `onBegun` says.
   */
  #copy(
    path: string,
    onBegun?: (elapsedMs: number) => number | undefined,
    killAfterMs?: number,
  ): Promise<CopyEnd> {
    const names = [`${this.#source.domain}/kill/app:v1`, `${this.#target.domain}/${path}:v1`];
    const child = spawn(process.execPath, [program, 'copy', '--quiet', '--bandwidth', bandwidth, ...names], {
      env: { ...process.env, XDG_STATE_HOME: this.#state },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const words = lastWords(child.stdout, child.stderr);
    const timers: NodeJS.Timeout[] = [];
    const killIn = (ms: number | undefined): void => {
      if (ms !== undefined) timers.push(setTimeout(() => child.kill('SIGKILL'), ms));
    };
    killIn(killAfterMs);
    const started = performance.now();
    const startMs = this.#calm.startMs;
    const look = setInterval(() => {
      const elapsed = performance.now() - started;
      // A repository that was begun by an earlier try shows nothing new: then the usual start-up time has to do.
      if (!this.#begun(path) || elapsed < startMs * 0.8) return;
      clearInterval(look);
      killIn(onBegun?.(elapsed));
    }, 5);
    return new Promise((resolve) => {
      child.once('close', (code, signal) => {
        clearInterval(look);
        for (const timer of timers) clearTimeout(timer);
        const seconds = ((performance.now() - started) / 1000).toFixed(1);
        resolve({ ok: code === 0, said: `${signal ?? code} after ${seconds} s: ${words()}` });
      });
    });
  }

  #endpoint(registry: RegistryProcess, path: string): RepositoryEndpoint {
    return {
      registry: { domain: parseRegistryDomain(registry.domain), provider: 'other' },
      path: parseRepositoryPath(path),
    };
  }
}

/** The end of what a program says, on one line. */
function lastWords(...outputs: readonly Readable[]): () => string {
  let said = '';
  for (const output of outputs)
    output.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-1000)));
  return () => said.trim().replaceAll(/\s*\n\s*/g, ' | ');
}
