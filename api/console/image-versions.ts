import { html } from 'hono/html';
import type { Repository, VersionStatus } from '../../domain/resources/repository.ts';
import { digest, table, time, type Markup } from './markup.ts';
import type { Say } from './words.ts';

/** The versions that the tags had, each of which can be put back; a pin shows, and can be taken away. */
export function versionSection(
  { spec, status }: Repository,
  versions: readonly VersionStatus[],
  at: string,
  say: Say,
): Markup {
  const held = (tag: string): string | undefined =>
    status?.tags?.find((known) => known.tag === tag)?.digest ??
    (tag === spec.tag ? status?.digest : undefined);
  const rows = versions.map(
    (version) =>
      html`<tr>
        <th scope="row">${version.tag}</th>
        <td>${digest(version.digest)}</td>
        <td>${time(version.seen)}</td>
        <td>${time(version.placed)}</td>
        <td>${version.digest === held(version.tag) ? say('current') : rollBack(version, at, say)}</td>
      </tr>`,
  );
  const headings = [say('tag'), say('digest'), say('seen'), say('placed'), say('actions')];
  return html`<h3>${say('versions')}</h3>
    ${pinned(spec).map(([tag, to]) => pin(tag, to, at, say))}
    ${table(say('versions'), headings, rows, say('nothing'))}`;
}

function rollBack({ tag, digest: to }: VersionStatus, at: string, say: Say): Markup {
  return html`<form
    hx-post="/console/images/rollback?${at}"
    hx-target="#notice"
    hx-confirm="${say('rollbackSure')}"
  >
    <input type="hidden" name="tag" value="${tag}" /><input type="hidden" name="digest" value="${to}" />
    <button>${say('rollback')}</button>
  </form>`;
}

function pinned({
  tag,
  pinnedDigest,
  pins = [],
}: Repository['spec']): readonly (readonly [string, string])[] {
  const own = pinnedDigest === undefined ? [] : [[tag, pinnedDigest] as const];
  return [...own, ...pins.map((one) => [one.tag, one.digest] as const)];
}

function pin(tag: string, to: string, at: string, say: Say): Markup {
  return html`<form class="bar notice due" hx-post="/console/images/release?${at}" hx-target="#notice">
    <input type="hidden" name="tag" value="${tag}" />
    <span>${say('pinned')}: ${tag} = ${digest(to)}</span>
    <button>${say('release')}</button>
  </form>`;
}
