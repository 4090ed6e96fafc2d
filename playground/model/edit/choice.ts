import {
  type Kind,
  NATPMP_RESULTS,
  natPmpOpcodeName,
  natPmpResultName,
  opcodeName,
  optionName,
  protocolName,
  RESULTS,
  resultName,
} from "../../../core/wire/index.ts"
import { mistyped, type Typed, typed } from "./edited.ts"
import { typedNumber } from "./typed.ts"

/** A value that a field is often given, by name. */
export interface Choice {
  readonly value: number
  readonly name: string
}

const named = (numbers: readonly number[], nameOf: (value: number) => string): readonly Choice[] =>
  numbers.map((value) => ({ value, name: nameOf(value) }))

const OPCODES = named([0, 1, 2, 3], opcodeName)
const OPTIONS = named([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 130], optionName)
const BITS = [
  { value: 0, name: "clear" },
  { value: 1, name: "set" },
]

const CHOICES: Partial<Readonly<Record<Kind, readonly Choice[]>>> = {
  version: [
    { value: 2, name: "PCP" },
    { value: 0, name: "NAT-PMP" },
  ],
  direction: [
    { value: 0, name: "request" },
    { value: 1, name: "response" },
  ],
  opcode: OPCODES,
  natPmpOpcode: [0, 1, 2, 128, 129, 130].map((value) => ({
    value,
    name: `${natPmpOpcodeName(value & 127)} ${value > 127 ? "response" : "request"}`,
  })),
  result: named([...RESULTS.keys()], resultName),
  natPmpResult: named([...NATPMP_RESULTS.keys()], natPmpResultName),
  optionCode: OPTIONS,
  protocol: named([0, 6, 17, 1, 33, 47, 50, 58, 132, 136], protocolName),
  flag: BITS,
  prf: [{ value: 5, name: "PRF_HMAC_SHA2_256" }],
  mac: [{ value: 12, name: "AUTH_HMAC_SHA2_256_128" }],
}

/** What a field of this kind can be chosen from; empty where it is typed. Other numbers can be typed all the same. */
export const choicesOf = (kind: Kind): readonly Choice[] => CHOICES[kind] ?? []

/** A choice by its name in either case, by `MAP (1)`, or by its number up to `most`. */
export const typedChoice = (kind: Kind, text: string, most: number): Typed<number> => {
  const wanted = text
    .trim()
    .toLowerCase()
    .replace(/\s*\(\d+\)$/, "")
  const found = choicesOf(kind).find(({ name }) => name.toLowerCase() === wanted)
  if (found !== undefined) return typed(found.value)
  const number = typedNumber(wanted, most)
  if (number.ok) return number
  const examples = choicesOf(kind)
    .slice(0, 3)
    .map(({ name }) => name)
  return mistyped(`a number from 0 to ${most} is expected, or a name such as ${examples.join(", ")}`)
}
