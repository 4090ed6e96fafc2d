import { createInstance, createVarpd, Destination, getProperty, listProperties } from "../../../core/overlay/index.ts"
import { overlayPlugins } from "../../overlay/index.ts"
import { complain } from "../complain.ts"
import { type AnswerRecord, ask, findSocket, type Unanswered } from "../control/ask.ts"
import { endView, recordView, type View } from "../control/view.ts"
import { Exit, type ExitCode } from "../exit.ts"
import { openOutput } from "../output.ts"
import { type Paint, paintFor } from "../paint.ts"
import { plainTable } from "../plain-table.ts"
import { fileSink } from "../sink.ts"
import { PROPERTY_COLUMNS, propertyRecord, propertyRow } from "./property-record.ts"

export interface AskOptions {
  readonly control?: string
  readonly overlay?: string
  readonly json?: boolean
}

export interface PropsOptions extends AskOptions {
  /** Of a plugin, without anything that runs. */
  readonly plugin?: string
  /** `name=value`. */
  readonly set?: string
}

export type OverlayCommand =
  | "lookup"
  | "status"
  | "cache-list"
  | "cache-flush"
  | "cache-set"
  | "cache-delete"
  | "props"
  | "set"

/** Asks running overlays and prints what they say; gives the exit code. */
export const askOverlays = async (
  command: OverlayCommand,
  { control, overlay, json = false }: AskOptions,
  more: object = {},
): Promise<ExitCode> => {
  const found = await findSocket(control, "overlay-")
  if (!found.ok) return failed(found)
  let reading = true
  const sink = fileSink(
    openOutput(),
    () => {
      reading = false
    },
    () => "",
  )
  const view = viewOf(command, json)
  const asked = await ask(found.path, { command, overlay, ...more }, async (record) => {
    sink.print(view.take(record))
    reading &&= await sink.ready()
    return reading
  })
  if (!reading) return Exit.DONE
  if (!asked.ok) return failed(asked)
  if (asked.end.late === true) {
    complain("the plugin has no answer yet")
    return Exit.TIMEOUT
  }
  sink.print(view.end(asked.end))
  await sink.end()
  return command === "lookup" && asked.end.target === "drop" ? Exit.FAILED : Exit.DONE
}

const failed = (asked: Unanswered): ExitCode => {
  complain(asked.text)
  return asked.exit
}

/** The properties of a plugin as a new instance has them, or of what runs; or one of the latter is set. */
export const props = (options: PropsOptions): Promise<ExitCode> => {
  const { plugin, set } = options
  if (set !== undefined) {
    const at = set.indexOf("=")
    return askOverlays("set", options, { property: set.slice(0, at), value: set.slice(at + 1) })
  }
  return plugin === undefined
    ? askOverlays("props", options)
    : Promise.resolve(pluginProps(plugin, options.json === true))
}

const pluginProps = (plugin: string, json: boolean): ExitCode => {
  const plugins = overlayPlugins()
  const given = { link: 1, plugin, vnetid: 0, destination: Destination.IP | Destination.PORT }
  const made = createInstance(createVarpd(plugins), given)
  const all = made.ok ? listProperties(...made.value) : made
  if (!made.ok || !all.ok) {
    complain(`there is no plugin ${plugin}: expected ${[...plugins.keys()].join(", ")}`)
    return Exit.USAGE
  }
  const view = viewOf("props", json)
  for (const info of all.value) {
    const octets = getProperty(...made.value, info.name)
    process.stdout.write(
      view.take({ overlay: "", ...propertyRecord(info, octets.ok ? octets.value : new Uint8Array(0)) }),
    )
  }
  process.stdout.write(view.end({}))
  return Exit.DONE
}

const viewOf = (command: OverlayCommand, json: boolean): View => {
  const paint = paintFor(process.stdout)
  switch (command) {
    case "lookup":
      return endView((end) => (json ? line(end) : `${targetText(end.target)}\n`))
    case "status":
      return json ? { take: line, end: line } : statusView()
    case "cache-list":
      return json
        ? recordView
        : tableView(
            ["OVERLAY", "MAC", "TARGET"],
            "Nothing is known of any MAC.\n",
            paint,
            ({ overlay, mac, target }) => [String(overlay), String(mac), targetText(target)],
          )
    case "props":
      return json
        ? recordView
        : tableView(["OVERLAY", ...PROPERTY_COLUMNS], "", paint, (record) => [
            String(record.overlay === "" ? "--" : record.overlay),
            ...propertyRow(record),
          ])
    default:
      return endView(() => (json ? line({ end: true }) : ""))
  }
}

const line = ({ end: _, ...record }: AnswerRecord): string => `${JSON.stringify(record)}\n`

const targetText = (target: unknown): string => {
  if (typeof target !== "object" || target === null) return String(target)
  const { address, port } = { address: "", port: 0, ...target }
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
}

const tableView = (
  titles: readonly string[],
  none: string,
  paint: Paint,
  row: (record: AnswerRecord) => readonly string[],
): View => {
  const rows: (readonly string[])[] = []
  return {
    take: (record) => {
      rows.push(row(record))
      return ""
    },
    end: () => (rows.length === 0 ? none : plainTable(titles, rows, paint)),
  }
}

const statusView = (): View => ({
  take: ({ overlay, vnetid, plugin, listen, kernel, status, reason, counters }) => {
    const head = `${overlay}: vnetid ${vnetid} on ${listen}, lookups by ${plugin}${kernel === null ? "" : `, the kernel's device at ${kernel}`}: ${status}`
    return `${head}${reason === null ? "" : `: ${reason}`}\n  ${countersText(counters)}\n`
  },
  end: ({ end: _, ...counters }) => `${countersText(counters)}\n`,
})

const countersText = (counters: unknown): string =>
  Object.entries(typeof counters === "object" && counters !== null ? counters : {})
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")
