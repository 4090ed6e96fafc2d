import type { Change, MappingKind } from "../../core/cgn/index.ts"
import { mappings, type ServerState } from "../../core/server/index.ts"

/**
 * How many mappings of each kind there are, kept up to date by what changes: counting them anew would walk over a million for
 * every scrape.
 */
export interface KindTally {
  follow(changes: readonly Change[]): void
  counts(): ReadonlyMap<MappingKind, number>
}

const PAGE = 500

/** Counts what is there once, at the start, and from then on what it is told. */
export const kindTally = (state: ServerState, now: number): KindTally => {
  const tally = new Map<MappingKind, number>([
    ["map", 0],
    ["peer", 0],
    ["implicit", 0],
    ["static", 0],
  ])
  const add = (kind: MappingKind, by: number): void => {
    tally.set(kind, (tally.get(kind) ?? 0) + by)
  }
  for (let after: number | undefined = 0; after !== undefined; ) {
    const page = mappings(state, now, after, PAGE)
    for (const { kind } of page.mappings) add(kind, 1)
    after = page.after
  }
  return {
    follow: (changes) => {
      for (const change of changes)
        if (change.type === "created") add(change.mapping.kind, 1)
        else if (change.type === "deleted" || change.type === "expired") add(change.mapping.kind, -1)
    },
    counts: () => tally,
  }
}
