import type { Conntrack } from "./conntrack.ts"
import { conntrackNetlink } from "./conntrack-netlink.ts"
import { conntrackProgram } from "./conntrack-program.ts"
import { netlinkSockets } from "./netlink-socket.ts"

/** The kernel's table of connections by netlink where the runtime calls foreign functions, else by the program conntrack(8). */
export const openConntrack = (complain: (text: string) => void): Conntrack => {
  const sockets = netlinkSockets()
  const netlink = sockets.ok ? conntrackNetlink(sockets.value, complain) : undefined
  if (netlink !== undefined) return netlink
  const why = sockets.ok ? "the kernel opens no socket" : sockets.text
  complain(`netlink: ${why}: the program conntrack is used instead, one process a question`)
  return conntrackProgram(complain)
}
