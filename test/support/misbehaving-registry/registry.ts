import { answerBlob, answerUpload } from './blob-routes.ts';
import type { HeldManifest, RepositoryContent } from './content.ts';
import { Double } from './double.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { SampleImage } from './images.ts';
import { answerManifest, answerReferrers, answerTags } from './manifest-routes.ts';
import { json, problem, RegistryState, type RegistryOptions } from './registry-state.ts';
import type { Trace } from './trace.ts';

/** An OCI registry in memory: correct by default, and a witness of the invariants. */
export class MisbehavingRegistry extends Double {
  readonly options: RegistryOptions;
  readonly state: RegistryState;

  constructor(trace: Trace, options: RegistryOptions = {}) {
    super(trace, options.tls);
    this.options = options;
    this.state = new RegistryState(options, (violation) =>
      trace.violations.push(`${violation} at ${this.origin}`),
    );
  }

  repository(name: string): RepositoryContent {
    return this.state.repository(name);
  }

  /** Puts an image in without any request. Returns its digest. */
  hold(name: string, image: SampleImage, tag?: string): string {
    return this.state.seed(name, image.blobs, image.manifests, tag);
  }

  /** The manifest that a tag stands for. */
  tagged(name: string, tag: string): HeldManifest | undefined {
    const digest = this.repository(name).tags.get(tag);
    return digest === undefined ? undefined : this.repository(name).manifests.get(digest);
  }

  protected override async respond(exchange: Exchange): Promise<Answer> {
    const path = exchange.url.pathname;
    const refused = this.#challenge(exchange, path);
    if (refused !== undefined) {
      await exchange.body();
      return refused;
    }
    if (path === '/v2/' || path === '/v2') return { status: 200, body: '{}', headers: json };
    const match = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|tags|referrers)\/([^/]*)$/.exec(path);
    if (match === null) return problem(404, 'NAME_UNKNOWN');
    const [, name = '', kind, reference = ''] = match;
    if (kind === 'manifests')
      return answerManifest(this.state, exchange, name, decodeURIComponent(reference));
    if (kind === 'blobs') return answerBlob(this.state, exchange, name, decodeURIComponent(reference));
    if (kind === 'blobs/uploads') return answerUpload(this.state, exchange, name, reference);
    return kind === 'tags'
      ? answerTags(this.state, exchange, name)
      : answerReferrers(this.state, name, decodeURIComponent(reference));
  }

  #challenge(exchange: Exchange, path: string): Answer | undefined {
    const { auth } = this.options;
    if (auth === undefined) return undefined;
    const sent = exchange.header('authorization');
    if (auth.kind === 'basic') {
      const wanted = `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
      return sent === wanted
        ? undefined
        : problem(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="double"' });
    }
    const name = /^\/v2\/(.+?)\/(?:manifests|blobs|tags|referrers)\//.exec(path)?.[1];
    const action = exchange.method === 'GET' || exchange.method === 'HEAD' ? 'pull' : 'push';
    const token = sent?.startsWith('Bearer ') === true ? sent.slice(7) : '';
    if (name === undefined ? auth.tokens.tokens.includes(token) : auth.tokens.grants(token, name, action))
      return undefined;
    const scope =
      name === undefined ? '' : `,scope="repository:${name}:${action === 'push' ? 'pull,push' : 'pull'}"`;
    const challenge = `Bearer realm="${auth.realm ?? auth.tokens.realm}",service="double"${scope}`;
    return problem(401, 'UNAUTHORIZED', { 'www-authenticate': challenge });
  }
}
