import type { z } from '@hono/zod-openapi';

/**
 * A field that may be left out. As a type it is never `undefined`, as our resources ask; at run time it is zod's plain
 * `optional`, because the OpenAPI generator takes `exactOptional` for required. The difference cannot be seen: JSON has
 * no `undefined`.
 */
export function optional<T extends z.ZodType>(schema: T): z.ZodExactOptional<T> {
  return schema.optional() as unknown as z.ZodExactOptional<T>;
}
