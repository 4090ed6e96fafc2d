import { isIpv4 } from "../../wire/index.ts"
import { idlePause, type SvpDraft } from "./draft.ts"
import type { Uuid } from "./message.ts"
import { SvpStatus } from "./registry.ts"
import type { SvpAnswer, SvpAsker, SvpQuestion } from "./remote.ts"
import { SVP_TIMES } from "./remote.ts"

/** Gives a question's end to who asked. */
export const finish = (draft: SvpDraft, question: SvpQuestion, asker: SvpAsker, answer: SvpAnswer): void => {
  switch (asker.kind) {
    case "caller":
      draft.effects.push({ type: "answer", query: asker.query, answer })
      break
    case "record":
      if (question.kind === "vl3") finishRecord(draft, question, asker, answer)
      break
    case "log":
      // Only failures: what the log has to say is in `readLog`.
      if (question.kind === "log-remove") {
        draft.effects.push({ type: "warning", text: `the log's records were not removed: ${statusOf(answer)}` })
        draft.log = { phase: "waiting", due: draft.now + SVP_TIMES.TICK, open: 0, done: [] }
      } else draft.log = { phase: "waiting", due: draft.now + idlePause(draft), open: 0, done: [] }
  }
}

const statusOf = (answer: SvpAnswer): string => (answer.kind === "none" ? `status ${answer.status}` : "no status")

const finishRecord = (
  draft: SvpDraft,
  { vnetid, address: overlay }: Extract<SvpQuestion, { kind: "vl3" }>,
  { uuid, vlan }: Extract<SvpAsker, { kind: "record" }>,
  answer: SvpAnswer,
): void => {
  // Of IPv6 there is no gratuitous ARP: the record is done with all the same.
  if (answer.kind === "vl3" && isIpv4(overlay)) {
    const { mac, address, port } = answer
    draft.effects.push({ type: "moved", vnetid, vlan, overlay, mac, address, port })
  }
  const isDone = answer.kind === "vl3" || (answer.kind === "none" && answer.status === SvpStatus.NOTFOUND)
  settle(draft, isDone ? [uuid] : [], 1)
}

/** So many records more are done with, or given up; when all are, those that are done are to be removed. */
export const settle = (draft: SvpDraft, done: readonly Uuid[], count: number): void => {
  const { log, now } = draft
  const all = [...log.done, ...done]
  const open = log.open - count
  if (open > 0) draft.log = { ...log, open, done: all }
  else if (all.length > 0) draft.log = { phase: "removing", due: now + SVP_TIMES.TICK, open: 0, done: all }
  else draft.log = { phase: "waiting", due: now + idlePause(draft), open: 0, done: [] }
}
