import type { Timestamp } from "../../core/wire/text/index.ts"

/** `2026-11-21 08:00:00.000001 UTC`: to the microsecond, or to the nanosecond where it has any. */
export const formatTimestamp = ({ seconds, nanoseconds }: Timestamp): string => {
  const day = new Date(seconds * 1000)
  if (Number.isNaN(day.getTime())) return `${formatEpoch({ seconds, nanoseconds })} s after 1970`
  return `${day.toISOString().slice(0, 19).replace("T", " ")}.${fraction(nanoseconds)} UTC`
}

/** `1795248000.000001000`, as tshark's `frame.time_epoch`. */
export const formatEpoch = ({ seconds, nanoseconds }: Timestamp): string =>
  `${seconds}.${`${nanoseconds}`.padStart(9, "0")}`

const fraction = (nanoseconds: number): string => {
  const digits = `${nanoseconds}`.padStart(9, "0")
  return digits.endsWith("000") ? digits.slice(0, 6) : digits
}
