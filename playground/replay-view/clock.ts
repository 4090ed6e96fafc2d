/** An instant as a clock shows it: `00:12.450`, `1:05:00.000`. Milliseconds in. */
export const clockText = (at: number): string => {
  const whole = Math.max(0, Math.round(at))
  const two = (value: number): string => `${value}`.padStart(2, "0")
  const [hours, minutes, seconds] = [Math.floor(whole / 3_600_000), Math.floor(whole / 60_000) % 60, whole / 1000]
  const fraction = `${whole % 1000}`.padStart(3, "0")
  const tail = `${two(minutes)}:${two(Math.floor(seconds) % 60)}.${fraction}`
  return hours > 0 ? `${hours}:${tail}` : tail
}

/** What is left of a lifetime, for tables: `9:58`, `2:00:00`, `for ever`. Seconds in. */
export const leftText = (seconds: number): string => {
  if (seconds === Number.POSITIVE_INFINITY) return "for ever"
  const whole = Math.ceil(seconds)
  const two = (value: number): string => `${value}`.padStart(2, "0")
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`
}
