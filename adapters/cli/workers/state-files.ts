import { existsSync, readdirSync } from "node:fs"
import { basename, dirname } from "node:path"

/** Where a worker, numbered from 0, keeps its share of a state. */
export const workerFile = (file: string, number: number, workers: number): string =>
  workers === 1 ? file : `${file}.${number + 1}-of-${workers}`

/**
 * Says why this many workers cannot go on from what is there: the state of another number of them, whose mappings have other
 * owners. `undefined`: they can.
 */
export const otherWorkers = (file: string, workers: number): string | undefined => {
  const name = basename(file)
  const counts = new Set<number>()
  if (existsSync(file)) counts.add(1)
  for (const other of namesIn(dirname(file))) {
    const match = other.startsWith(`${name}.`) ? /^(\d+)-of-(\d+)$/.exec(other.slice(name.length + 1)) : null
    if (match !== null) counts.add(Number(match[2]))
  }
  counts.delete(workers)
  const [count] = counts
  if (count === undefined) return undefined
  const there = count === 1 ? "one worker" : `${count} workers, ${file}.1-of-${count} and so on`
  const how = count === 1 ? "without --workers" : `with --workers ${count}`
  return `there is a state of ${there}: start it ${how}, or move that away`
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
