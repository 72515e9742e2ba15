import type { KubeConfig } from '@kubernetes/client-node';
import { createServer, type Server } from 'node:http';
import { listenAsCluster } from './loopback-cluster.ts';

/** How an API server answers a review: as it should, or not. */
export type ReviewAnswer =
  | { readonly kind: 'status'; readonly status: object }
  | { readonly kind: 'raw'; readonly code: number; readonly body: string }
  | { readonly kind: 'cut' }
  | { readonly kind: 'silence' };

/** A decision as it should be, in the form of the API. */
export const decided = (status: object): ReviewAnswer => ({ kind: 'status', status });

/** An API server that only knows TokenReview and SubjectAccessReview, and answers them as it is told. */
export class MisbehavingReviews {
  token: ReviewAnswer = decided({
    authenticated: true,
    audiences: ['edge-image-api'],
    user: { username: 'alice', uid: 'u', groups: ['g'], extra: { 'x/scopes': ['one'] } },
  });
  /** By what is asked for: `verb resource[/subresource] namespace name`. */
  access: (question: string) => ReviewAnswer = () => decided({ allowed: true });
  /** What was asked for, in order. */
  readonly questions: string[] = [];
  /** The bodies of all reviews. */
  readonly bodies: string[] = [];
  readonly #server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => void chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      this.bodies.push(text);
      const review: ReturnType<typeof JSON.parse> = JSON.parse(text);
      const answer = request.url?.includes('tokenreviews')
        ? this.token
        : this.access(this.#note(review.spec.resourceAttributes));
      if (answer.kind === 'cut') response.destroy();
      if (answer.kind === 'silence' || answer.kind === 'cut') return;
      const body = answer.kind === 'raw' ? answer.body : JSON.stringify({ ...review, status: answer.status });
      response.writeHead(answer.kind === 'raw' ? answer.code : 201, { 'content-type': 'application/json' });
      response.end(body);
    });
  });

  start(): Promise<KubeConfig> {
    return listenAsCluster(this.#server);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #note(attributes: Readonly<Record<string, string | undefined>>): string {
    const { verb, group, resource, subresource, namespace = '-', name = '-' } = attributes;
    const what = subresource === undefined ? resource : `${resource}/${subresource}`;
    const question = `${verb} ${group === 'image.theriseunion.io' ? '' : `${group}/`}${what} ${namespace} ${name}`;
    this.questions.push(question);
    return question;
  }
}
