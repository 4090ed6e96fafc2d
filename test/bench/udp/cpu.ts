import { readFileSync } from "node:fs"

/** Clock ticks a second of /proc: 100 on every Linux that people run. */
const TICKS = 100

/** Seconds of processor time that a process has used in all its threads, or NaN where there is no /proc. */
export const cpuSeconds = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ")
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return Number.NaN
  }
}
