/** A secret in every form in which it could lie about: as it is, and as base64, URLs and JSON write it. */
export function formsOf(secret: string): readonly Buffer[] {
  const texts = new Set([
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    ...alignments(secret, 'base64'),
    ...alignments(secret, 'base64url'),
    Buffer.from(secret).toString('hex'),
  ]);
  return [...texts].map((text) => Buffer.from(text));
}

/**
 * What is in the middle of base64 does not depend on what is around it, but on where it begins: three cases. The
 * characters that share bits with a neighbour are left out.
 */
function alignments(secret: string, encoding: 'base64' | 'base64url'): readonly string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
      .toString(encoding)
      .replace(/=+$/, '');
    const from = shift === 0 ? 0 : shift + 1;
    const isWhole = (shift + Buffer.byteLength(secret)) % 3 === 0;
    return text.slice(from, isWhole ? undefined : -1);
  });
}

/** Finds secrets in bytes. */
export class SecretFinder {
  readonly #secrets: readonly { readonly name: string; readonly forms: readonly Buffer[] }[];

  /** Secrets by a name that may be shown. Throws for one that is so short that it would be found by chance. */
  constructor(secrets: Readonly<Record<string, string>>) {
    this.#secrets = Object.entries(secrets).map(([name, secret]) => {
      if (secret.length < 10) throw new Error(`${name} is too short to be looked for`);
      return { name, forms: formsOf(secret) };
    });
  }

  /** Names of the secrets that the bytes hold. */
  in(bytes: Buffer): readonly string[] {
    return this.#secrets
      .filter(({ forms }) => forms.some((form) => bytes.includes(form)))
      .map(({ name }) => name);
  }
}
