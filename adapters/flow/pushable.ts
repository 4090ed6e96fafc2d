/** What comes, one after another, for one who waits for it. */
export interface Pushable<T> {
  push(value: T): void
  /** Nothing more comes; `error`, where something went wrong. */
  end(error: Error | undefined): void
  /** The next; `undefined`: nothing more comes. */
  next(): Promise<T | undefined>
}

/** An empty one. */
export const pushable = <T>(): Pushable<T> => {
  const values: T[] = []
  let wake = (): void => {}
  let end: { readonly error: Error | undefined } | undefined
  return {
    push: (value) => {
      values.push(value)
      wake()
    },
    end: (error) => {
      end ??= { error }
      wake()
    },
    next: async () => {
      for (;;) {
        if (values.length > 0) return values.shift()
        if (end?.error !== undefined) throw end.error
        if (end !== undefined) return undefined
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
