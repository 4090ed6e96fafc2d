import { createLogUpdate } from "log-update"
import { clock } from "#runtime"
import { formatCountdown } from "../mapping-text.ts"
import type { Paint } from "../paint.ts"
import { plainTable } from "../plain-table.ts"
import type { Board, Standing } from "./board.ts"
import { failureText } from "./failure.ts"
import { externalText, viaText } from "./mapping-words.ts"

/** Milliseconds between two looks: what is left is in seconds. */
const STEP = 1000

/** A table on a terminal that is always that of now. */
export interface LiveTable {
  update(): void
  /** Leaves the last table there. */
  end(): void
}

export const liveTable = (board: () => Board, paint: Paint, stream: NodeJS.WriteStream = process.stdout): LiveTable => {
  const log = createLogUpdate(stream)
  const update = (): void => log(tableText(board(), clock.now(), paint))
  const timer = setInterval(update, STEP)
  return {
    update,
    end: () => {
      clearInterval(timer)
      update()
      log.done()
    },
  }
}

/** A row for each mapping and server, at an instant of the client's clock. */
export const tableText = (board: Board, now: number, paint: Paint): string => {
  const rows = board.map(({ id, server, standing }) => [id, ...cellsOf(standing, now), server])
  return `${plainTable(["MAPPING", "REACHED AT", "+LEFT", "BY", "STATE", "SERVER"], rows, paint)}${paint.dim("Ctrl-C deletes them and ends.")}\n`
}

const cellsOf = (standing: Standing, now: number): readonly string[] => {
  switch (standing.kind) {
    case "mapped": {
      const { mapping } = standing
      const left = Math.max(0, Math.floor((mapping.until - now) / 1000))
      const state = mapping.class === "public" ? "mapped" : `mapped, ${mapping.class}`
      return [externalText(mapping), formatCountdown(left), viaText(mapping.protocol), state]
    }
    case "waiting":
      return ["", "", "", standing.sent === 0 ? "waiting" : `asked ${standing.sent} times`]
    case "failed":
      return ["", "", "", failureText(standing.failure).replace(/[:;,].*/, "")]
    case "over":
      if (standing.how !== "revoked") return ["", "", "", standing.how]
      if (!standing.answered) return ["", "", "", "deleted?"]
      return standing.lifetime === undefined
        ? ["", "", "", "deleted"]
        : ["", formatCountdown(standing.lifetime), "", "deleted, but open"]
  }
}
