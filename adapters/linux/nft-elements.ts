import { behind, errorOf, messageAt, NetlinkType } from "./netlink.ts"
import type { NetlinkSocket } from "./netlink-socket.ts"
import type { Nft, NftResult } from "./nft.ts"
import { type ElementChanges, transactionOf } from "./set-elements.ts"

/** The kernel's words for what becomes of a table that others change, as nft has them. */
const ERRORS: ReadonlyMap<number, string> = new Map([
  [1, "Operation not permitted"],
  [2, "No such file or directory"],
  [12, "Cannot allocate memory"],
  [17, "File exists"],
  [23, "Too many open files in system"],
])

/**
 * nft whose changes of elements go to the kernel by a socket of their own, as octets: libnftables takes longer to read an element than
 * the kernel to take it. What has no such form is left to `nft`.
 */
export const withElements = (nft: Nft, socket: Pick<NetlinkSocket, "send" | "receive" | "close">): Nft => ({
  ...nft,
  elements: (plane, changes: ElementChanges) => {
    const transaction = transactionOf(plane, changes)
    if (transaction === undefined) return undefined
    // What an answer of before left there would be taken for this one's.
    while (socket.receive() !== undefined);
    if (!socket.send(transaction.bytes)) return undefined
    return answerOf(socket, transaction.last)
  },
  close: () => {
    socket.close()
    nft.close()
  },
})

/** The kernel has done or refused all when the message was taken: what it says of it is there. */
const answerOf = (socket: Pick<NetlinkSocket, "receive">, last: number): NftResult | undefined => {
  let isDone = false
  let refusal: number | undefined
  for (let view = socket.receive(); view !== undefined; view = socket.receive()) {
    if (view === "lost") continue
    for (let found = messageAt(view, 0); found !== undefined; found = messageAt(view, behind(found))) {
      const error = found.type === NetlinkType.ERROR ? errorOf(view, found) : undefined
      if (error === 0 && found.sequence === last) isDone = true
      else if (error !== undefined && error !== 0) refusal ??= error
    }
  }
  if (refusal !== undefined) return { ok: false, text: `Error: ${ERRORS.get(refusal) ?? `error ${refusal}`}` }
  // Whether it is done is not known: to do it again by nft says so.
  return isDone ? { ok: true, output: "" } : undefined
}
