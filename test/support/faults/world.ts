import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { FailureCode } from '../../../domain/failure-catalogue.ts';
import type { Failure } from '../../../domain/failure.ts';
import { parseDigest } from '../../../domain/names/digest.ts';
import { parseRegistryDomain } from '../../../domain/names/registry-domain.ts';
import { parseRepositoryPath } from '../../../domain/names/repository-path.ts';
import { parseTag } from '../../../domain/names/tag.ts';
import type {
  CopyEngine,
  CopyHooks,
  CopyReport,
  CopyRequest,
  RegistryAccess,
  RepositoryEndpoint,
} from '../../../infra/copy/engine.ts';
import type { RegistryLimits } from '../../../infra/registry/registry-client.ts';
import { Cdn } from '../misbehaving-registry/cdn.ts';
import type { Double } from '../misbehaving-registry/double.ts';
import type { SampleImage } from '../misbehaving-registry/images.ts';
import { MisbehavingRegistry } from '../misbehaving-registry/registry.ts';
import type { RegistryOptions } from '../misbehaving-registry/registry-state.ts';
import { TokenServer } from '../misbehaving-registry/token-server.ts';
import { Trace } from '../misbehaving-registry/trace.ts';
import { rejection } from '../refusal.ts';
import { quickEngine } from './quick-engine.ts';
import { formsOf, strayCredentials, textOf, type Canary } from './secrets.ts';

export const sourcePath = 'lib/app';
export const targetPath = 'edge/app';

/** Registries, an engine between them, and what must hold at the end whatever happened. */
export class FaultWorld {
  readonly trace = new Trace();
  readonly engine: CopyEngine;
  /** INV8: requests that all doubles together may see. */
  maxRequests = 400;
  /** What registries warned of. */
  readonly warnings: string[] = [];
  readonly #closeEngine: () => Promise<void>;
  readonly #doubles: Double[] = [];
  readonly #canaries: Canary[] = [];
  readonly #accesses = new Map<Double, Partial<RegistryAccess>>();
  readonly #failures: Failure[] = [];

  constructor(limits: RegistryLimits = {}) {
    const onWarning = (domain: string, text: string): unknown => this.warnings.push(`${domain}: ${text}`);
    const { engine, close } = quickEngine({ onWarning, ...limits });
    this.engine = engine;
    this.#closeEngine = close;
  }

  async registry(options: RegistryOptions = {}): Promise<MisbehavingRegistry> {
    return this.#started(new MisbehavingRegistry(this.trace, options));
  }

  async cdn(): Promise<Cdn> {
    return this.#started(new Cdn(this.trace));
  }

  /** A registry that wants Basic, and the credential for it. */
  async basicRegistry(options: RegistryOptions = {}): Promise<MisbehavingRegistry> {
    const credential = this.#credential();
    const registry = await this.registry({ ...options, auth: { kind: 'basic', ...credential } });
    this.#canaries.push({ secret: credential.password, origins: new Set([registry.origin]) });
    this.#accesses.set(registry, { credential });
    return registry;
  }

  /** A registry that wants a token, and its token server, which is declared unless told otherwise. */
  async bearerRegistry(
    options: RegistryOptions & {
      readonly declared?: boolean;
      readonly lifetimeSeconds?: number;
      readonly maxScopes?: number;
    } = {},
  ): Promise<{ readonly registry: MisbehavingRegistry; readonly tokens: TokenServer }> {
    const { declared = true, lifetimeSeconds, maxScopes, ...rest } = options;
    const credential = this.#credential();
    const limits = {
      ...(lifetimeSeconds === undefined ? {} : { lifetimeSeconds }),
      ...(maxScopes === undefined ? {} : { maxScopes }),
    };
    const tokens = await this.#started(new TokenServer(this.trace, { ...credential, ...limits }));
    const registry = await this.registry({ ...rest, auth: { kind: 'bearer', tokens } });
    this.#canaries.push({ secret: credential.password, origins: new Set([tokens.origin]) });
    this.#canaries.push({ secret: 'tok-canary-', origins: new Set([registry.origin]) });
    this.#accesses.set(registry, { credential, ...(declared ? { allowedRealms: [tokens.origin] } : {}) });
    return { registry, tokens };
  }

  /** A source that holds `image` as `lib/app:v1`, and an empty target. */
  async pair(
    image: SampleImage,
    options: { readonly source?: RegistryOptions; readonly target?: RegistryOptions } = {},
  ): Promise<{
    readonly source: MisbehavingRegistry;
    readonly target: MisbehavingRegistry;
  }> {
    const [source, target] = await Promise.all([
      this.registry(options.source),
      this.registry(options.target),
    ]);
    source.hold(sourcePath, image, 'v1');
    return { source, target };
  }

  endpoint(
    registry: MisbehavingRegistry,
    path: string,
    more: Partial<RegistryAccess> = {},
  ): RepositoryEndpoint {
    return {
      registry: {
        domain: parseRegistryDomain(registry.host),
        provider: 'other',
        ...this.#accesses.get(registry),
        ...more,
      },
      path: parseRepositoryPath(path),
    };
  }

  /** Resolves `lib/app:v1` at the source and copies it to `edge/app:v1` at the target. */
  async copy(
    source: MisbehavingRegistry,
    target: MisbehavingRegistry,
    more: WorldCopy = {},
  ): Promise<CopyReport> {
    const { hooks, sourceAccess, targetAccess, tag = 'v1', reference = 'v1', ...rest } = more;
    const from = this.endpoint(source, sourcePath, sourceAccess);
    const root = await this.engine.resolve(
      from,
      reference.includes(':') ? parseDigest(reference) : parseTag(reference),
      hooks?.signal,
    );
    assert.ok(root !== undefined, 'the source has the image');
    const request: CopyRequest = {
      source: from,
      root,
      target: this.endpoint(target, targetPath, targetAccess),
      tag: parseTag(tag),
      ...rest,
    };
    return this.engine.copy(request, hooks);
  }

  /** The copy fails with one of the codes; the failure is kept and searched for secrets. */
  async copyFails(
    codes: FailureCode | readonly FailureCode[],
    source: MisbehavingRegistry,
    target: MisbehavingRegistry,
    more: WorldCopy = {},
  ): Promise<Failure> {
    const failure = await rejection(codes, this.copy(source, target, more));
    this.#failures.push(failure);
    assert.equal(
      target.repository(targetPath).tags.has(more.tag ?? 'v1'),
      false,
      'a failed copy leaves no tag',
    );
    return failure;
  }

  /** Every byte of the image is at the target, and the tag stands for it. */
  landed(target: MisbehavingRegistry, image: SampleImage, tag = 'v1'): void {
    const content = target.repository(targetPath);
    assert.equal(content.tags.get(tag), image.digest, 'the tag stands for the image');
    assert.deepEqual(content.missing(image.digest, target.options.sparse), [], 'nothing is missing');
    assert.ok(target.tagged(targetPath, tag)?.bytes.equals(image.manifest.bytes), 'the manifest is verbatim');
  }

  async close(): Promise<void> {
    await this.#closeEngine();
    await Promise.all(this.#doubles.map((double) => double.close()));
  }

  /** The invariants over everything that was recorded. */
  check(): void {
    assert.deepEqual(this.trace.violations, [], 'INV1: no tag on an incomplete graph, at no instant');
    for (const double of this.#doubles) {
      if (double instanceof MisbehavingRegistry)
        assert.equal(double.state.wrongDigestCommits, 0, 'INV2: no commit of wrong bytes');
    }
    const cookies = this.trace.entries.filter((entry) => entry.cookie !== undefined);
    assert.deepEqual(cookies, [], 'INV3: no cookie is ever sent back');
    assert.deepEqual(
      strayCredentials(this.trace, this.#canaries),
      [],
      'INV3: credentials stay with their origins',
    );
    for (const failure of this.#failures) {
      const shown = textOf(failure);
      const leaked = this.#canaries.filter(({ secret }) =>
        formsOf(secret).some((form) => shown.includes(form)),
      );
      assert.deepEqual(
        leaked.map(({ secret }) => secret.slice(0, 6)),
        [],
        `INV4: no secret in ${failure.code}`,
      );
    }
    assert.ok(this.trace.entries.length <= this.maxRequests, `INV8: ${this.trace.entries.length} requests`);
  }

  #credential(): { readonly username: string; readonly password: string } {
    const id = Math.random().toString(36).slice(2);
    return { username: `user-${id}`, password: `canary-${id}-pässword` };
  }

  async #started<T extends Double>(double: T): Promise<T> {
    this.#doubles.push(double);
    return double.listen();
  }
}

/** What a row may change about the usual copy. */
export interface WorldCopy extends Partial<Omit<CopyRequest, 'tag' | 'source' | 'target'>> {
  readonly hooks?: CopyHooks;
  readonly sourceAccess?: Partial<RegistryAccess>;
  readonly targetAccess?: Partial<RegistryAccess>;
  readonly tag?: string;
  readonly reference?: string;
}

/** A heading of the catalogue: its rows run side by side, each in a world of its own. */
export function heading(name: string, rows: () => void): void {
  describe(name, { concurrency: 6 }, rows);
}

/**
 * One row of the catalogue: its own world, and the invariants at the end. Its name begins with the row's id. `limits`: for
 * rows in which nobody is slow on purpose, time-outs that a busy machine does not reach. Default: short ones.
 */
export function row(
  name: string,
  body: (world: FaultWorld) => Promise<void>,
  limits: RegistryLimits = {},
): void {
  test(name, { timeout: 60_000 }, async () => {
    const world = new FaultWorld(limits);
    try {
      await body(world);
    } finally {
      await world.close();
    }
    world.check();
  });
}
