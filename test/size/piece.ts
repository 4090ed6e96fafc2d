/** What has a limit of size. kB are 1000 octets. */

export interface Piece {
  /** As users know it. */
  readonly name: string
  readonly source: string
  /** What is used of it; without, all that it exports. */
  readonly names?: readonly string[]
  /** Most kB, by either bundler. */
  readonly limit: number
}

export const PIECES: readonly Piece[] = [
  { name: "`parse`", source: "core/wire/index.ts", names: ["parse"], limit: 8 },
  { name: "`encode`", source: "core/wire/index.ts", names: ["encode"], limit: 4 },
  { name: "`validate`", source: "core/wire/index.ts", names: ["validate"], limit: 14 },
  { name: "`dissect`", source: "core/wire/index.ts", names: ["dissect"], limit: 4 },
  { name: "`process`, a server over your own CGN", source: "core/server/index.ts", names: ["process"], limit: 12.5 },
  { name: "`sallyport/wire`", source: "core/wire/index.ts", limit: 20 },
  { name: "`sallyport/text`", source: "core/wire/text/index.ts", limit: 23.5 },
  { name: "`sallyport/client`", source: "core/client/index.ts", limit: 30 },
  { name: "`sallyport/port-client`", source: "adapters/client/index.ts", limit: 44.5 },
  { name: "`sallyport/table`", source: "core/table/index.ts", limit: 8.5 },
  { name: "`sallyport/cgn`", source: "core/cgn/index.ts", limit: 69 },
  { name: "`sallyport/server`", source: "core/server/index.ts", limit: 59 },
  { name: "`sallyport`, the entire core", source: "core/index.ts", limit: 136 },
]
