import { GALLERY } from "../model/gallery/index.ts"
import type { Session } from "../model/session/index.ts"

interface SessionExample {
  readonly id: string
  readonly title: string
  readonly make: () => Session
}

/** Sessions of the gallery, in its order. */
export const SESSION_EXAMPLES: readonly SessionExample[] = GALLERY.flatMap((one) =>
  one.kind === "session" ? [{ id: one.id, title: one.title, make: one.session }] : [],
)

export const SESSION_EXAMPLES_BY_ID: ReadonlyMap<string, () => Session> = new Map(
  SESSION_EXAMPLES.map(({ id, make }) => [id, make]),
)
