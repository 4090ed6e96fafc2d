import { libcSuite } from "./libc-suite.ts"

libcSuite("Node")
