type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** A status, headers by lower-case name, and a body that was read whole. */
export class HttpAnswer {
  readonly status: number;
  readonly body: Uint8Array;
  readonly headers: Headers;

  constructor(status: number, headers: Headers, body: Uint8Array = new Uint8Array()) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** A header's first value, by lower-case name. */
  header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === 'object' ? value[0] : value;
  }

  /** All values of a header that may come several times, by lower-case name. */
  all(name: string): readonly string[] {
    const value = this.headers[name];
    if (value === undefined) return [];
    return typeof value === 'string' ? [value] : value;
  }
}
