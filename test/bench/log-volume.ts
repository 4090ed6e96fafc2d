/**
 * How much log each assignment of ports takes for the same traffic (RFC 6888 REQ-14): records and octets a mapping, counted
 * over a simulated day. Run by `npm run bench`, or by itself: node test/bench/log-volume.ts [subscribers, default 100]
 *
 * Nothing here is timed: the same numbers come from any machine.
 */
import { argv } from "node:process"
import { logVolume } from "./log-volume/volume.ts"

const subscribers = Number(argv[2] ?? 100)
const rows = logVolume(subscribers, 24 * 3600)
const [first] = rows
for (const { name, mappings, records, octets } of rows) {
  const ratio = `1/${(first.octets / octets).toFixed(0)}`
  console.log(
    `${name}: ${mappings} mappings, ${records} records (${(records / mappings).toFixed(5)} a mapping), ` +
      `${octets} octets (${(octets / mappings).toFixed(3)} a mapping), ${ratio} of random's octets`,
  )
}
