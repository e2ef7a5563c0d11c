//! Compiles the contracts with protox, so that nobody needs `protoc`.
use std::error::Error;

const FILES: [&str; 5] = [
    "proto/hearsay/admin/v1/admin.proto",
    "proto/hearsay/chat/v1/chat.proto",
    "proto/hearsay/fault/v1/fault.proto",
    "proto/hearsay/log/v1/log.proto",
    "proto/hearsay/raft/v1/raft.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
