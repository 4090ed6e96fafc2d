import { udp } from "#runtime"
import { fastSuites } from "./fast-suite.ts"

fastSuites({ name: "Node", udp })
