import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedManifests } from './manifests.ts';

const folder = join(import.meta.dirname, '../../deploy/generated');
mkdirSync(folder, { recursive: true });
for (const [name, text] of Object.entries(generatedManifests())) writeFileSync(join(folder, name), text);
