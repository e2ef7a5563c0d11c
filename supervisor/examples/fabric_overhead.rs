//! What an idle link costs: small requests to an echo server, straight and through a fabric.
//!
//! The server runs on a thread of its own, as a node runs in a process of its own; the clients share theirs with the
//! links, as they do in a run. `cargo run --release -p supervisor --example fabric_overhead`

#![expect(clippy::print_stdout, reason = "what it measures is for a person to read")]

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use supervisor::fabric::Fabric;
use supervisor::rng::Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

const MESSAGE_BYTES: usize = 128;
const MEASURED: Duration = Duration::from_secs(3);

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

async fn serve(address: mpsc::Sender<SocketAddr>) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    address.send(listener.local_addr()?).expect("the clients wait for it");
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let (mut from, mut to) = stream.split();
            copy(&mut from, &mut to).await
        });
    }
}

/// One request after another; returns how many were answered.
async fn ask(address: SocketAddr, until: Instant) -> io::Result<u32> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut message = [7; MESSAGE_BYTES];
    let mut answered = 0;
    while Instant::now() < until {
        stream.write_all(&message).await?;
        stream.read_exact(&mut message).await?;
        answered += 1;
    }
    Ok(answered)
}

async fn measure(address: SocketAddr, clients: u32) -> io::Result<u32> {
    let until = Instant::now() + MEASURED;
    let asked: Vec<_> = (0..clients).map(|_| tokio::task::spawn_local(ask(address, until))).collect();
    let answered: io::Result<Vec<u32>> = try_join_all(asked).await?.into_iter().collect();
    Ok(answered?.into_iter().sum())
}

async fn compare(server: SocketAddr) -> io::Result<()> {
    let fabric = Fabric::new(&["n1".to_owned()], &["clients".to_owned()], &Rng::from_seed(7))?;
    fabric.node_listens("n1", server, server)?;
    println!("{:>8} {:>14} {:>14} {:>16}", "clients", "straight", "through", "a request more");
    for clients in [1, 8, 64] {
        let straight = measure(server, clients).await?;
        let through = measure(fabric.address("clients", "n1"), clients).await?;
        let per_second = |answered| f64::from(answered) / MEASURED.as_secs_f64();
        let costs_us = |answered| 1e6 / per_second(answered);
        println!(
            "{clients:>8} {:>12.0}/s {:>12.0}/s {:>13.1} us",
            per_second(straight),
            per_second(through),
            costs_us(through) - costs_us(straight)
        );
    }
    Ok(())
}

fn main() -> io::Result<()> {
    let (sender, address) = mpsc::channel();
    let server_runtime = runtime()?;
    std::thread::spawn(move || server_runtime.block_on(serve(sender)));
    let server = address.recv().expect("the server says where it listens");
    LocalSet::new().block_on(&runtime()?, compare(server))
}
