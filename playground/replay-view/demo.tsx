/** The Replay views by themselves, for their tests; not published. The page around them gives the colours. */
import { signal } from "@preact/signals"
import { render } from "preact"
import { toHex } from "../../core/wire/text/index.ts"
import type { Session } from "../model/session/index.ts"
import { Replay } from "./index.tsx"

const session = signal<Session | undefined>(undefined)
const opened = document.createElement("output")
opened.id = "opened"
opened.className = "rv-unseen"
const place = document.querySelector("#place")
if (place !== null) {
  render(<Replay session={session} onOpenPacket={(bytes) => opened.append(`${toHex(bytes)};`)} />, place)
  place.after(opened)
}
