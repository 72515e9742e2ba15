import { parseAllDocuments, type YAMLParseError } from 'yaml';
import type { BatchOperation } from '../domain/batch/operation.ts';
import { Failure } from '../domain/failure.ts';
import { batchRequestSchema, type BatchRequestItem } from './schema/batch.ts';

/** Content types of a batch in YAML. */
export const yamlTypes = ['application/yaml', 'application/x-yaml', 'text/yaml'] as const;

/** A batch as it was asked for. */
export interface BatchRequest {
  readonly operation: BatchOperation;
  readonly items: readonly BatchRequestItem[];
}

/**
 * Reads a batch: JSON as `{operation, items}`, or many YAML documents, one an object, with the operation in the query.
 * Aliases are refused: a few lines of them can stand for gigabytes. Throws `InvalidRequest`.
 */
export function parseBatch(body: unknown, operation: BatchOperation | undefined): BatchRequest {
  const wanted =
    typeof body === 'string' ? { operation: operation ?? 'create', items: yamlItems(body) } : body;
  const result = batchRequestSchema.safeParse(wanted);
  if (result.success) return result.data;
  const issues = result.error.issues
    .slice(0, 5)
    .map(({ path, message }) => `${path.map(String).join('.')}: ${message}`);
  throw new Failure('InvalidRequest', { side: 'caller', detail: issues.join('; ') });
}

function yamlItems(text: string): readonly unknown[] {
  const documents = parseAllDocuments(text, { uniqueKeys: true, strict: true, schema: 'core' });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document, index) => {
    const [error] = document.errors;
    if (error !== undefined) return refuse(index, placeOf(error));
    const value: unknown = plain(document, index);
    return value === null ? [] : [value];
  });
}

/** Where an error is and its kind; the parser's own words quote the text, and so might show a password. */
function placeOf({ code, linePos }: YAMLParseError): string {
  const at = linePos?.[0];
  const kind = code.toLowerCase().replaceAll('_', ' ');
  return at === undefined ? kind : `${kind} at line ${at.line}, column ${at.col}`;
}

function plain(document: { toJS(options: { maxAliasCount: number }): unknown }, index: number): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch {
    return refuse(index, 'aliases are not supported');
  }
}

function refuse(index: number, why: string): never {
  throw new Failure('InvalidRequest', { side: 'caller', detail: `document ${index + 1}: ${why}` });
}
