import { Failure } from '../../domain/failure.ts';
import { verifyGraph } from '../../infra/copy/verify-graph.ts';
import { runCommand } from './outcome.ts';
import { readPlace } from './place.ts';
import { Registries, type RegistryOptions } from './registries.ts';

/** Options of `imageferry verify`. */
export interface VerifyOptions extends RegistryOptions {
  readonly deep: boolean;
}

/** `imageferry verify`: resolves with the exit code. */
export function verifyCommand(image: string, options: VerifyOptions): Promise<number> {
  return runCommand(options.json, async (signal) => {
    const registries = new Registries(options);
    try {
      const place = readPlace(image);
      const { store, resolve } = await place.open(registries, 'source');
      const root = await resolve(signal);
      if (root === undefined) throw new Failure('TagNotFound', { subject: image });
      await verifyGraph(store, root.digest, { deep: options.deep, signal });
      const name = place.print(root.digest);
      console.log(
        options.json
          ? JSON.stringify({ image: name, digest: root.digest, deep: options.deep, whole: true })
          : `${name}: whole${options.deep ? ', every byte read' : ''}`,
      );
      return 0;
    } finally {
      await registries.clients.close();
    }
  });
}
