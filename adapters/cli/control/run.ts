import { clock } from "#runtime"
import { complain } from "../complain.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { openOutput } from "../output.ts"
import { paintFor } from "../paint.ts"
import { fileSink } from "../sink.ts"
import { wallClock } from "../wall-clock.ts"
import { type AnswerRecord, ask, findSocket, type Unanswered } from "./ask.ts"
import { counterView, endView, mappingView, recordView, subscriberView, type View } from "./view.ts"

export interface ControlOptions {
  readonly control?: string
  readonly json?: boolean
  readonly realm?: string
}

export type ControlCommand = "mappings" | "subscribers" | "counters" | "announce" | "revoke" | "doctor"

/** Asks a running server and prints what it says: tables for people, or records, one a line. */
export const control = async (
  command: ControlCommand,
  options: ControlOptions,
  internal: string | undefined,
): Promise<ExitCode> => {
  const found = await findSocket(options.control)
  if (!found.ok) return failed(found)
  let reading = true
  const sink = fileSink(
    openOutput(),
    () => {
      reading = false
    },
    () => "",
  )
  const view = viewOf(command, options.json === true)
  const request =
    command === "revoke" ? { command, internal, realm: options.realm } : { command: REQUESTS.get(command) ?? command }
  const asked = await ask(found.path, request, async (record) => {
    sink.print(view.take(record))
    reading &&= await sink.ready()
    return reading
  })
  if (!reading) return Exit.DONE
  if (!asked.ok) return failed(asked)
  sink.print(view.end(asked.end))
  await sink.end()
  return Exit.DONE
}

/** What is asked for a command that has another name. */
const REQUESTS: ReadonlyMap<ControlCommand, string> = new Map([
  ["subscribers", "mappings"],
  ["doctor", "check"],
])

const viewOf = (command: ControlCommand, json: boolean): View => {
  const paint = paintFor(process.stdout)
  switch (command) {
    case "mappings":
      return json ? recordView : mappingView(paint)
    case "subscribers":
      return subscriberView(json, paint)
    case "counters":
      return json ? recordView : counterView(paint)
    case "announce":
      return endView(() =>
        json
          ? `${JSON.stringify({ time: wallClock(clock).time(), event: "announcing" })}\n`
          : "The server announces its epoch to its clients.\n",
      )
    case "doctor":
      return endView(({ end, ...found }) => (json ? `${JSON.stringify(found)}\n` : checkText(found)))
    case "revoke":
      return endView(({ deleted }) =>
        json ? `${JSON.stringify({ deleted })}\n` : `${deleted} ${deleted === 1 ? "mapping" : "mappings"} deleted.\n`,
      )
  }
}

/** What a check of the kernel's table found, in a sentence. */
const checkText = ({ sound, put, gone, rebuilt }: AnswerRecord): string => {
  const found = [
    ...(rebuilt === true ? ["the table was gone or had other rules, and was built anew"] : []),
    ...(Number(put) > 0 ? [`${put} elements put in`] : []),
    ...(Number(gone) > 0 ? [`${gone} elements taken out`] : []),
  ]
  return found.length === 0
    ? `The kernel has what the server has: ${sound} elements.\n`
    : `The kernel had not what the server has, and has it now: ${found.join(", ")}; ${sound} elements were right.\n`
}

const failed = (asked: Unanswered): ExitCode => {
  complain(asked.text)
  return asked.exit
}
