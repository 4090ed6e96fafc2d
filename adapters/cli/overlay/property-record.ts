import type { PropertyInfo } from "../../../core/overlay/index.ts"
import { formatProperty } from "../../overlay/index.ts"

/** A property for programs: what it is, and what it is set to. */
export const propertyRecord = (info: PropertyInfo, octets: Uint8Array): Readonly<Record<string, unknown>> => {
  const { name, type, required, readable, writable, possible } = info
  return {
    property: name,
    type,
    required,
    readable,
    writable,
    value: octets.length === 0 ? null : formatProperty(info, octets),
    default: info.default === undefined ? null : formatProperty(info, info.default),
    possible:
      possible.kind === "ranges"
        ? possible.ranges.map(([from, to]) => `${from}-${to}`)
        : possible.kind === "strings"
          ? possible.strings
          : [],
  }
}

/** A row of a table of properties, as dladm shows them. */
export const propertyRow = (record: Readonly<Record<string, unknown>>): readonly string[] => {
  const { property, required, readable, writable, value, default: preset, possible } = record
  return [
    String(property),
    `${readable === true ? "r" : "-"}${writable === true ? "w" : "-"}`,
    required === true ? "y" : "-",
    String(value ?? "--"),
    String(preset ?? "--"),
    Array.isArray(possible) && possible.length > 0 ? possible.join(",") : "--",
  ]
}

export const PROPERTY_COLUMNS: readonly string[] = ["PROPERTY", "PERM", "REQ", "VALUE", "DEFAULT", "POSSIBLE"]
