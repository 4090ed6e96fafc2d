import { connect } from "node:net"
import { reasonOf } from "../../system-error.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { isLive } from "./listen.ts"
import { controlFolder, knownSockets, type SocketKind } from "./path.ts"

/** One line of an answer. */
export type AnswerRecord = Readonly<Record<string, unknown>>

/** Why there is no answer, and how the command ends then. */
export interface Unanswered {
  readonly ok: false
  readonly text: string
  readonly exit: ExitCode
}

/** What the server said last, or why it did not. */
export type Asked = { readonly ok: true; readonly end: AnswerRecord } | Unanswered

/** Milliseconds without a line. */
const PATIENCE = 10_000

/** The socket to ask: the one given, or that of the only server that runs. */
export const findSocket = async (
  given: string | undefined,
  kind: SocketKind = "",
): Promise<{ readonly ok: true; readonly path: string } | Unanswered> => {
  if (given !== undefined) return { ok: true, path: given }
  const live: string[] = []
  for (const path of knownSockets(kind)) if (await isLive(path)) live.push(path)
  if (live.length === 1) return { ok: true, path: live[0] }
  const text =
    live.length === 0
      ? `${kind === "" ? "no server runs" : "no overlay runs"}: no control socket in ${controlFolder()}; name another with --control <path>`
      : `${live.length} servers run; choose one with --control: ${live.join(", ")}`
  return { ok: false, text, exit: Exit.USAGE }
}

/** Asks one request; `each` takes the lines before the last, and says whether it wants more. */
export const ask = async (
  path: string,
  request: object,
  each: (record: AnswerRecord) => Promise<boolean>,
): Promise<Asked> => {
  const socket = connect(path)
  let late = false
  socket.setTimeout(PATIENCE, () => {
    late = true
    socket.destroy()
  })
  try {
    socket.write(`${JSON.stringify(request)}\n`)
    for await (const line of linesOf(socket.setEncoding("utf8"))) {
      const record: AnswerRecord = JSON.parse(line)
      if ("error" in record)
        return { ok: false, text: String(record.error), exit: record.usage === true ? Exit.USAGE : Exit.FAILED }
      if ("end" in record) return { ok: true, end: record }
      if (!(await each(record))) break
    }
  } catch (cause) {
    if (!late) return { ok: false, text: `${path}: ${reasonOf(cause)}`, exit: Exit.USAGE }
  } finally {
    socket.destroy()
  }
  return late
    ? { ok: false, text: `${path}: no answer in ${PATIENCE / 1000} s`, exit: Exit.TIMEOUT }
    : { ok: false, text: `${path}: the server closed the connection before its answer was whole`, exit: Exit.FAILED }
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let text = ""
  for await (const chunk of chunks) {
    text += chunk
    const lines = text.split("\n")
    text = lines.pop() ?? ""
    yield* lines
  }
}
