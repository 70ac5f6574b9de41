//! Connections spread over the cores: each thread here serves its own, from the first byte to the last, and no other thread is woken for it.
//!
//! A runtime whose threads steal work from each other wakes a second thread for nearly every request of a busy server, only to find that
//! there is nothing to do: that costs more than the request.

use std::future::Future;
use std::io;
use std::net::TcpStream as Socket;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// What serves one connection.
type Connection = Box<dyn FnOnce(TcpStream) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// One thread for each core.
pub(crate) struct Cores(Vec<Core>);

struct Core {
    queue: UnboundedSender<(Socket, Connection, ConnectionCount)>,
    /// How many connections it has.
    connections: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

/// A connection's part of its core's number.
struct ConnectionCount(Arc<AtomicUsize>);

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Cores {
    /// Starts so many threads.
    pub(crate) fn start(threads: usize) -> io::Result<Cores> {
        (0..threads.max(1)).map(Core::start).collect::<io::Result<_>>().map(Cores)
    }

    /// Has the core with the fewest connections serve one more.
    pub(crate) fn serve<F>(&self, stream: TcpStream, connection: impl FnOnce(TcpStream) -> F + Send + 'static) -> io::Result<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let socket = stream.into_std()?;
        let Some(core) = self.0.iter().min_by_key(|core| core.connections.load(Ordering::Relaxed)) else { return Ok(()) };
        core.connections.fetch_add(1, Ordering::Relaxed);
        let counted = ConnectionCount(Arc::clone(&core.connections));
        // A core whose thread is gone takes no more: then the connection is closed.
        let _ = core.queue.send((socket, Box::new(|stream| Box::pin(connection(stream))), counted));
        Ok(())
    }

    /// Drops what is still served, and waits for the threads to end.
    pub(crate) async fn end(self) {
        let threads: Vec<_> = self.0.into_iter().map(|core| core.thread).collect();
        let _ = tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.join()))).await;
    }
}

impl Core {
    fn start(at: usize) -> io::Result<Core> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (queue, mut connections) = unbounded_channel::<(Socket, Connection, ConnectionCount)>();
        let serve = async move {
            while let Some((socket, connection, counted)) = connections.recv().await {
                match TcpStream::from_std(socket) {
                    Ok(stream) => {
                        let served = connection(stream);
                        tokio::spawn(async move {
                            let _counted = counted;
                            served.await;
                        });
                    }
                    Err(error) => tracing::warn!(%error, "a connection could not be taken over"),
                }
            }
        };
        let thread = std::thread::Builder::new().name(format!("core-{at}")).spawn(move || runtime.block_on(serve))?;
        Ok(Core { queue, connections: Arc::default(), thread })
    }
}
