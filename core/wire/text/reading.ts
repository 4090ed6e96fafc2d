/** A moment of Unix time: whole seconds since 1970, and nanoseconds 0 to 999,999,999 within the second. */
export type Timestamp = { readonly seconds: number; readonly nanoseconds: number }
