import { console } from "#console"
import { reasonOf } from "../system-error.ts"
import { complain, note } from "./complain.ts"
import { failureLine, USUAL } from "./decode-words.ts"
import { Exit, type ExitCode } from "./exit.ts"
import { fieldColumns } from "./field-columns.ts"
import { fileInput, type Input, isFile, streamInput, textInput } from "./input.ts"
import type { InputPacket } from "./input-item.ts"
import { packetJson } from "./packet-json.ts"
import { packetText } from "./packet-text.ts"
import { paintFor } from "./paint.ts"
import { progressBar } from "./progress.ts"
import type { Read } from "./read.ts"
import { screen } from "./screen.ts"
import { fileSink, type Sink } from "./sink.ts"

export interface DecodeOptions {
  readonly json?: boolean
  readonly fields?: readonly string[]
}

/** Packets between two looks at whether the output's reader keeps up. */
const BATCH = 64
/** The most and least columns that lines are made for. */
const WIDEST = 120
const NARROWEST = 60

/** Prints every packet of its inputs; gives the exit code. */
export const decode = async (words: readonly string[], options: DecodeOptions): Promise<ExitCode> => {
  let reading = true
  let written = true
  const sink = fileSink(
    1,
    (cause) => {
      reading = false
      if (cause.code === "EPIPE") return
      written = false
      complain(`cannot write standard output: ${reasonOf(cause)}`)
    },
    () => "",
  )
  const print = printer(options)
  let number = 0
  let failures = 0
  const inputs = inputsOf(words)
  if (!inputs.ok) {
    complain(inputs.text)
    return Exit.USAGE
  }
  for (const input of inputs.value) {
    const bar = progressBar()
    try {
      for await (const item of input.items()) {
        if (!reading) break
        switch (item.kind) {
          case "form":
            if (options.json !== true && options.fields === undefined) note(`${input.name}: read as ${item.text}`)
            break
          case "packet":
            number++
            sink.print(print({ ...item.packet, number, form: item.form }))
            bar.at(item.progress, () => `${number} packets`)
            if (number % BATCH === 0) await settle(sink)
            break
          case "remark":
            bar.end()
            if (item.severity === "warning") complain(`${input.name}: ${item.text}`)
            else note(`${input.name}: ${item.text}`)
            break
          case "failure":
            failures++
            bar.end()
            complain(failureLine(item, input.name, input.typed ? words : [], console))
        }
      }
    } catch (cause) {
      failures++
      complain(`cannot read ${input.name}: ${reasonOf(cause)}`)
    } finally {
      bar.end()
    }
  }
  await sink.end()
  if (!written) return Exit.FAILED
  if (failures === 0) return Exit.DONE
  return number > 0 ? Exit.PARTLY : Exit.USAGE
}

/** The output's reader may be slow, and standard error may have something to say: a turn for both. */
const settle = async (sink: Sink): Promise<void> => {
  await sink.ready()
  await new Promise((resolve) => setImmediate(resolve))
}

const printer = ({ json, fields }: DecodeOptions): ((packet: InputPacket) => string) => {
  if (json === true) return packetJson
  if (fields !== undefined) return (packet) => fieldColumns(packet, fields)
  const out = screen(1)
  const paint = paintFor(out)
  const columns = out.isTTY ? out.columns : USUAL
  const width = Math.min(Math.max(columns, NARROWEST), WIDEST)
  return (packet) => packetText(packet, paint, width)
}

const inputsOf = (words: readonly string[]): Read<readonly Input[]> => {
  if (words.length === 0 || (words.length === 1 && words[0] === "-")) {
    if (process.stdin.isTTY) note("paste packets, then Ctrl-D on a line of its own")
    return { ok: true, value: [streamInput("standard input", process.stdin)] }
  }
  const files = words.map(isFile)
  const missing = files.indexOf(false)
  if (missing < 0) return { ok: true, value: words.map(fileInput) }
  if (files.includes(true)) return { ok: false, text: `"${words[missing]}" is no file` }
  return { ok: true, value: [textInput(words.join(" "))] }
}
