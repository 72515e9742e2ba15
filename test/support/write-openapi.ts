import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inProcessApi } from './api-in-process.ts';

/** The committed copy of the document that the API serves at `/openapi.json`. */
export const openApiFile = join(import.meta.dirname, '../../api/openapi.json');

/** The document as the routes of this very code make it. */
export async function generatedOpenApi(): Promise<string> {
  const response = await inProcessApi().app.request('/openapi.json');
  return `${JSON.stringify(await response.json(), null, 2)}\n`;
}

if (import.meta.main) writeFileSync(openApiFile, await generatedOpenApi());
