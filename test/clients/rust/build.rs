//! Generates the stubs: protox reads the contract, tonic-prost-build writes Rust. PROTO is the folder that holds `sallyport/v1`.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(env::var("PROTO").unwrap_or_else(|_| "../../../proto".into()));
    let mut files: Vec<PathBuf> = fs::read_dir(proto.join("sallyport/v1"))?
        .map(|entry| entry.map(|file| file.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    println!("cargo:rerun-if-env-changed=PROTO");
    println!("cargo:rerun-if-changed={}", proto.display());
    let descriptors = protox::compile(&files, [&proto])?;
    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds(descriptors)?;
    Ok(())
}
