import type { Board } from "./board.ts"
import { durationText } from "./duration.ts"

/** `asking 192.168.1.1 for 8080/tcp, 2 datagrams sent; 14 s left`. */
export const waitingText = (board: Board, milliseconds: number): string => {
  const waiting = board.flatMap(({ id, server, standing }) =>
    standing.kind === "waiting" ? [{ id, server, standing }] : [],
  )
  const servers = [...new Set(waiting.map(({ server }) => server))].join(", ")
  const ids = [...new Set(waiting.map(({ id }) => id))].join(", ")
  const sent = waiting.reduce((sum, { standing }) => sum + standing.sent, 0)
  return `asking ${servers} for ${ids}, ${sent} ${sent === 1 ? "datagram" : "datagrams"} sent; ${durationText(milliseconds / 1000)} left`
}
