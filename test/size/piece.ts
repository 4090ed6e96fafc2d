/** What has a limit of size. kB are 1000 octets. */

import * as portClient from "../../adapters/client/index.ts"
import * as cgn from "../../core/cgn/index.ts"
import * as client from "../../core/client/index.ts"
import * as flow from "../../core/flow/index.ts"
import * as core from "../../core/index.ts"
import * as overlay from "../../core/overlay/index.ts"
import * as server from "../../core/server/index.ts"
import * as table from "../../core/table/index.ts"
import * as wire from "../../core/wire/index.ts"
import * as text from "../../core/wire/text/index.ts"

export interface Piece {
  /** As users know it. */
  readonly name: string
  readonly source: string
  /** What is used of it. */
  readonly names: readonly string[]
  /** Most kB, by either bundler. */
  readonly limit: number
}

export const PIECES: readonly Piece[] = [
  { name: "`parse`", source: "core/wire/index.ts", names: ["parse"], limit: 8 },
  { name: "`encode`", source: "core/wire/index.ts", names: ["encode"], limit: 4 },
  { name: "`validate`", source: "core/wire/index.ts", names: ["validate"], limit: 14 },
  { name: "`dissect`", source: "core/wire/index.ts", names: ["dissect"], limit: 4 },
  { name: "`process`, a server over your own CGN", source: "core/server/index.ts", names: ["process"], limit: 12.5 },
  { name: "`sallyport/wire`", source: "core/wire/index.ts", names: Object.keys(wire), limit: 20 },
  { name: "`sallyport/text`", source: "core/wire/text/index.ts", names: Object.keys(text), limit: 23.5 },
  { name: "`sallyport/client`", source: "core/client/index.ts", names: Object.keys(client), limit: 30 },
  { name: "`sallyport/port-client`", source: "adapters/client/index.ts", names: Object.keys(portClient), limit: 44.5 },
  { name: "`sallyport/table`", source: "core/table/index.ts", names: Object.keys(table), limit: 8.5 },
  { name: "`sallyport/flow`", source: "core/flow/index.ts", names: Object.keys(flow), limit: 27 },
  { name: "`sallyport/overlay`", source: "core/overlay/index.ts", names: Object.keys(overlay), limit: 46 },
  { name: "`sallyport/cgn`", source: "core/cgn/index.ts", names: Object.keys(cgn), limit: 69 },
  { name: "`sallyport/server`", source: "core/server/index.ts", names: Object.keys(server), limit: 59 },
  { name: "`sallyport`, the entire core", source: "core/index.ts", names: Object.keys(core), limit: 136 },
]
