/** What an edit came to: other octets, or a sentence that says why not. The octets given are never written to. */
export type Edited = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly text: string }

/** A value read from what somebody typed, or a sentence that says what was expected. */
export type Typed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly text: string }

export const typed = <T>(value: T): Typed<T> => ({ ok: true, value })
export const mistyped = (text: string): { readonly ok: false; readonly text: string } => ({ ok: false, text })
