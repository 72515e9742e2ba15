import { Failure } from '../failure.ts';
import { printable } from './digest.ts';

declare const brand: unique symbol;

/** A DNS-1123 subdomain, the form of Kubernetes object names. */
export type ObjectName = string & { readonly [brand]: 'ObjectName' };
/** A DNS-1123 label, the form of Kubernetes namespaces. */
export type NamespaceName = string & { readonly [brand]: 'NamespaceName' };
/** An EdgeSite's name: a DNS-1123 label, so that it fits a task queue, a label value and an object key. */
export type SiteName = string & { readonly [brand]: 'SiteName' };

const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Kubernetes bounds the parts of a subdomain only together (apimachinery, `IsDNS1123Subdomain`). */
const part = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Parses an object name (at most 253 characters). Throws `InvalidName`. */
export function parseObjectName(text: string): ObjectName {
  if (text.length > 253 || !text.split('.').every((one) => part.test(one))) refuse(text, 'object name');
  return text as ObjectName;
}

/** Parses a namespace name. Throws `InvalidName`. */
export function parseNamespace(text: string): NamespaceName {
  if (!label.test(text)) refuse(text, 'namespace');
  return text as NamespaceName;
}

/** Parses a site name. Throws `InvalidName`. */
export function parseSiteName(text: string): SiteName {
  return isSiteName(text) ? text : refuse(text, 'site name');
}

/** Whether a text is a site name: for what strangers may name, too. */
export function isSiteName(text: string): text is SiteName {
  return label.test(text);
}

function refuse(text: string, what: string): never {
  throw new Failure('InvalidName', { subject: printable(text), detail: `not a valid ${what}` });
}
