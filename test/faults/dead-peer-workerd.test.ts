import { findDeadPeers } from "./dead-peers.ts";

findDeadPeers("workerd");
