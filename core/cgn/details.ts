import { addRow, dropRow, find, indexRow, keyOf, setWord, type Table, unindexRow, word } from "../table/index.ts"
import { DETAILS, DetailWord, TEXT, TextWord } from "./layout.ts"
import type { MappingDetails } from "./mapping.ts"
import { addressAt, setAddress } from "./subscriber.ts"

/** Octets of a DESCRIPTION that are stored (RFC 7220 section 3 wants 128 at least). */
const DESCRIPTION_OCTETS = 128

/** Octets that one piece of text holds. */
const PIECE = 56

const encoder = new TextEncoder()
// A byte order mark is a character like others: dropping it would echo less than was stored.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** A description as it is stored: its first 128 octets in UTF-8, cut between two characters (RFC 7220 section 3). */
export const storedDescription = (text: string): string => {
  const octets = encoder.encode(text)
  if (octets.length <= DESCRIPTION_OCTETS) return text
  let end = DESCRIPTION_OCTETS
  while ((octets[end] & 0xc0) === 0x80) end--
  return decoder.decode(octets.subarray(0, end))
}

/** Writes octets into pieces and returns the first one's row; 0 for none. */
const addText = (table: Table, octets: Uint8Array): number => {
  let next = 0
  for (let from = Math.floor((octets.length - 1) / PIECE) * PIECE; from >= 0 && octets.length > 0; from -= PIECE) {
    const row = addRow(table, TEXT)
    const length = Math.min(PIECE, octets.length - from)
    setWord(table, TEXT, row, TextWord.NEXT, next)
    setWord(table, TEXT, row, TextWord.LENGTH, length)
    for (let i = 0; i < length; i += 4) {
      const at = from + i
      const octet = (n: number): number => (i + n < length ? octets[at + n] : 0)
      const value = (octet(0) << 24) | (octet(1) << 16) | (octet(2) << 8) | octet(3)
      setWord(table, TEXT, row, TextWord.OCTETS + (i >> 2), value)
    }
    next = row
  }
  return next
}

const dropText = (table: Table, first: number): void => {
  for (let row = first; row !== 0; ) {
    const next = word(table, TEXT, row, TextWord.NEXT)
    dropRow(table, TEXT, row)
    row = next
  }
}

const textOctets = (table: Table, first: number): Uint8Array => {
  const octets: number[] = []
  for (let row = first; row !== 0; row = word(table, TEXT, row, TextWord.NEXT)) {
    const length = word(table, TEXT, row, TextWord.LENGTH)
    for (let i = 0; i < length; i++)
      octets.push((word(table, TEXT, row, TextWord.OCTETS + (i >> 2)) >>> (24 - 8 * (i & 3))) & 255)
  }
  return Uint8Array.from(octets)
}

const fromHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length >> 1 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

const toHex = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("")

/** What owns details: a mapping's row, or a peer's. */
export const mappingOwner = (row: number): number => row << 1
export const peerOwner = (peer: number): number => (peer << 1) | 1

const findDetails = (table: Table, owner: number): number => {
  keyOf(table, DETAILS)[0] = owner
  return find(table, DETAILS)
}

/** Do these details need a row? PREFER_FAILURE alone is a flag. */
export const needRow = (details: MappingDetails | undefined): details is MappingDetails =>
  details !== undefined &&
  (details.requester !== undefined || details.thirdPartyId !== undefined || details.description !== undefined)

/** Gives an owner these details, which need a row; it may have others. */
export const setDetails = (table: Table, owner: number, details: MappingDetails): void => {
  dropDetails(table, owner)
  const row = addRow(table, DETAILS)
  const { requester, thirdPartyId, description } = details
  setWord(table, DETAILS, row, DetailWord.OWNER, owner)
  if (requester !== undefined) {
    setAddress(table, DETAILS, row, DetailWord.REQUESTER, requester)
    setWord(table, DETAILS, row, DetailWord.HAS_REQUESTER, 1)
  }
  if (thirdPartyId !== undefined)
    setWord(table, DETAILS, row, DetailWord.THIRD_PARTY_ID, addText(table, fromHex(thirdPartyId)))
  if (description !== undefined)
    setWord(table, DETAILS, row, DetailWord.DESCRIPTION, addText(table, encoder.encode(description)))
  indexRow(table, DETAILS, row)
}

/** Takes an owner's details away, if it has any. */
export const dropDetails = (table: Table, owner: number): void => {
  const row = findDetails(table, owner)
  if (row === 0) return
  dropText(table, word(table, DETAILS, row, DetailWord.THIRD_PARTY_ID))
  dropText(table, word(table, DETAILS, row, DetailWord.DESCRIPTION))
  unindexRow(table, DETAILS, row)
  dropRow(table, DETAILS, row)
}

/** The details of an owner that has a row of them. */
export const detailsOf = (table: Table, owner: number, preferFailure: boolean): MappingDetails => {
  const row = findDetails(table, owner)
  const text = (at: number): Uint8Array => textOctets(table, row === 0 ? 0 : word(table, DETAILS, row, at))
  const hasRequester = row !== 0 && word(table, DETAILS, row, DetailWord.HAS_REQUESTER) !== 0
  const id = toHex(text(DetailWord.THIRD_PARTY_ID))
  const description = decoder.decode(text(DetailWord.DESCRIPTION))
  return {
    preferFailure,
    requester: hasRequester ? addressAt(table, DETAILS, row, DetailWord.REQUESTER) : undefined,
    thirdPartyId: id === "" ? undefined : id,
    description: description === "" ? undefined : description,
  }
}
