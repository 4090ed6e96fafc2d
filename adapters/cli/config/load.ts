import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from "jsonc-parser"
import type { z } from "zod"
import { type Fault, faultAt, faultOf, formatPath, type SettingPath } from "./fault.ts"
import { SERVE_CONFIG, type ServeConfig } from "./schema.ts"

/** A file that was read: what it has, and where each setting stands, for faults that are found later. */
export interface LoadedConfig<T = ServeConfig> {
  readonly config: T
  readonly fault: (path: SettingPath, rule: string) => Fault
}

export type ConfigRead<T = ServeConfig> =
  | { readonly ok: true; readonly value: LoadedConfig<T> }
  | {
      readonly ok: false
      readonly faults: readonly Fault[]
      /** What the file has, where it is JSON at all: for faults that can be seen beside those. */
      readonly written?: LoadedConfig<unknown>
    }

/** Most faults that are told of one file. */
const MOST = 100

/** Brackets in brackets, far over what settings need: parsers call themselves for each. */
const DEEPEST = 64

/** How deep brackets are nested in a text. */
const depthOf = (text: string): number => {
  const scanner = createScanner(text, true)
  let depth = 0
  let deepest = 0
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const first = text[scanner.getTokenOffset()]
    if (first === "{" || first === "[") depth++
    else if (first === "}" || first === "]") depth--
    deepest = Math.max(deepest, depth)
  }
  return deepest
}

/** Reads the text of a configuration file of `serve`. */
export const readConfig = (written: string): ConfigRead => readSettings(written, SERVE_CONFIG)

/** Reads the text of a file: its settings by their schema, or every fault that can be seen without the others mended. */
export const readSettings = <T>(written: string, schema: z.ZodType<T>): ConfigRead<T> => {
  // Editors of some systems begin a file with a byte order mark.
  const text = written.replace(/^\ufeff/, " ")
  const errors: ParseError[] = []
  if (depthOf(text) > DEEPEST) return refused([faultAt(text, 0, "", `Brackets are nested over ${DEEPEST} deep.`)])
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  if (errors.length > 0 || tree === undefined) {
    const faults = errors.map(({ error, offset }) =>
      faultAt(text, offset, "", SYNTAX[printParseErrorCode(error)] ?? "This is no JSON."),
    )
    return refused(faults.length > 0 ? faults : [faultAt(text, 0, "", "The file is empty: expected { }.")])
  }
  const faults: Fault[] = []
  const value = plainValue(text, tree, [], faults)
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    for (const { path, rule } of parsed.error.issues.flatMap(brokenRules)) faults.push(faultOf(text, tree, path, rule))
  const fault = (path: SettingPath, rule: string): Fault => faultOf(text, tree, path, rule)
  if (faults.length > 0 || !parsed.success) return { ...refused(faults), written: { config: value, fault } }
  return { ok: true, value: { config: parsed.data, fault } }
}

const refused = (faults: readonly Fault[]): { readonly ok: false; readonly faults: readonly Fault[] } => ({
  ok: false,
  faults: inOrder(faults),
})

/** In the order of the file, and no more than anybody reads. */
export const inOrder = (faults: readonly Fault[]): readonly Fault[] =>
  [...faults].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MOST)

/** The plain value of a tree. JSON takes the last of two settings with one name; here that is a fault. */
const plainValue = (text: string, node: Node, path: SettingPath, faults: Fault[]): unknown => {
  switch (node.type) {
    case "array":
      return (node.children ?? []).map((child, i) => plainValue(text, child, [...path, i], faults))
    case "object": {
      const entries = new Map<string, unknown>()
      for (const { offset, children: [key, value] = [] } of node.children ?? []) {
        const name = String(key.value)
        const at = [...path, name]
        // What every object of the language has would slip past the check.
        if (name === "__proto__") faults.push(faultAt(text, offset, formatPath(at), "there is no such setting"))
        else if (entries.has(name)) faults.push(faultAt(text, offset, formatPath(at), "this setting stands here twice"))
        else entries.set(name, plainValue(text, value, at, faults))
      }
      return Object.fromEntries(entries)
    }
    default:
      return node.value
  }
}

/** What an issue says: where, and the rule. */
const brokenRules = (issue: z.core.$ZodIssue): readonly { readonly path: SettingPath; readonly rule: string }[] => {
  const path = issue.path.filter((step) => typeof step !== "symbol")
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({ path: [...path, key], rule: "there is no such setting" }))
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => ({ path, rule: message }))
  if (issue.code === "invalid_union") {
    // The branch that was meant is the one that got furthest into the value, or that has read what was written.
    const inner = issue.errors
      .filter((branch) => branch.some(({ path: { length }, code }) => length > 0 || code === "custom"))
      .flat()
    if (inner.length > 0) return inner.flatMap((one) => brokenRules({ ...one, path: [...path, ...one.path] }))
  }
  return [{ path, rule: ruleOf(issue) }]
}

/** What a value should have been, in the words of the file rather than of the language. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a text in quotation marks",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list in [ ]",
  object: "settings in { }",
}

const ruleOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case "invalid_type":
      // A schema's own words go before.
      if (!issue.message.startsWith("Invalid input")) return issue.message
      return `expected ${KINDS[issue.expected] ?? issue.expected}${issue.message.endsWith("undefined") ? "; it is missing" : ""}`
    case "too_small":
      if (!issue.message.startsWith("Too small")) return issue.message
      return issue.origin === "array" || issue.origin === "string"
        ? `expected ${issue.minimum} at least`
        : `expected ${issue.minimum} or more`
    case "too_big":
      if (!issue.message.startsWith("Too big")) return issue.message
      return issue.origin === "array" || issue.origin === "string"
        ? `expected ${issue.maximum} at most`
        : `expected ${issue.maximum} or less`
    case "invalid_value":
      if (!issue.message.startsWith("Invalid")) return issue.message
      return `expected ${issue.values
        .map(String)
        .join(", ")
        .replace(/, ([^,]*)$/, " or $1")}`
    default:
      return issue.message
  }
}

const SYNTAX: Readonly<Partial<Record<ReturnType<typeof printParseErrorCode>, string>>> = {
  InvalidSymbol: "This is no value: texts stand in quotation marks.",
  InvalidNumberFormat: "This is no number.",
  PropertyNameExpected: "Expected the name of a setting in quotation marks.",
  ValueExpected: "Expected a value.",
  ColonExpected: "Expected a colon.",
  CommaExpected: "Expected a comma.",
  CloseBraceExpected: "Expected a closing brace.",
  CloseBracketExpected: "Expected a closing bracket.",
  EndOfFileExpected: "The file goes on after its end.",
  UnexpectedEndOfComment: "This comment does not end.",
  UnexpectedEndOfString: "This text does not end on its line.",
  UnexpectedEndOfNumber: "This number ends too soon.",
  InvalidUnicode: "This is no \\u escape.",
  InvalidEscapeCharacter: "There is no such escape.",
  InvalidCharacter: "A control character stands here.",
}
