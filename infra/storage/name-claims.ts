/** Who was first, where the object store cannot tell (fault K11). */
export interface NameClaims {
  /** True where `name` is claimed for `value` by now, also where it was before; false where another value has it. */
  claim(name: string, value: string): Promise<boolean>;
}
