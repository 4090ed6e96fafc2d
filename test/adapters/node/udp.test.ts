import { networkInterfaces } from "node:os"
import { nodeUdp } from "../../../adapters/node/index.ts"
import { udpSuite } from "../udp-suite.ts"

const ipv6 = Object.values(networkInterfaces()).some((entries) => entries?.some((entry) => entry.address === "::1"))
udpSuite("node:dgram", nodeUdp, ipv6)
