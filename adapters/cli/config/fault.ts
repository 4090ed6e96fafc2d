import { findNodeAtLocation, type Node } from "jsonc-parser"

/** One thing that is wrong with a configuration file, and where. Lines and columns count from 1. */
export interface Fault {
  readonly line: number
  readonly column: number
  /** Which setting: `rules[2].clients`; empty where the file is none at all. */
  readonly setting: string
  /** The rule that it breaks, in a sentence. */
  readonly text: string
}

export type SettingPath = readonly (string | number)[]

/** `serve.jsonc:12:5: rules[2].clients: "192.0.2.1/24" has bits set after its prefix.` */
export const formatFault = (file: string, { line, column, setting, text }: Fault): string =>
  `${file}:${line}:${column}: ${setting === "" ? "" : `${setting}: `}${text}`

export const formatPath = (path: SettingPath): string =>
  path.reduce<string>(
    (text, step) => (typeof step === "number" ? `${text}[${step}]` : text === "" ? step : `${text}.${step}`),
    "",
  )

export const faultAt = (text: string, offset: number, setting: string, rule: string): Fault => {
  const before = text.slice(0, offset).split(/\r\n|\r|\n/)
  return { line: before.length, column: before[before.length - 1].length + 1, setting, text: rule }
}

/** The fault of the setting at a path; one that is missing is the fault of what it is missing from. */
export const faultOf = (text: string, tree: Node, path: SettingPath, rule: string): Fault => {
  for (let steps = path.length; steps > 0; steps--) {
    const node = findNodeAtLocation(tree, path.slice(0, steps))
    // A setting begins where its name does.
    if (node !== undefined)
      return faultAt(text, (node.parent?.type === "property" ? node.parent : node).offset, formatPath(path), rule)
  }
  return faultAt(text, tree.offset, formatPath(path), rule)
}
