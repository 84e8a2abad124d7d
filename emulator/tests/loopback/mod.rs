//! A registry on its own port, for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A registry that stops when this is dropped.
pub struct Loopback {
    address: SocketAddr,
    state: TempDir,
    runtime: Runtime,
}

impl Loopback {
    /// Starts an empty registry.
    pub fn start() -> Self {
        let state = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = runtime
            .block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        let address = listener.local_addr().unwrap();
        let router = emulator::registry::router(state.path().to_owned());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            address,
            state,
            runtime,
        }
    }

    /// The host and port.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The folder with the state of the registry.
    #[allow(dead_code, reason = "not every test looks at the disk")]
    pub fn state(&self) -> &Path {
        self.state.path()
    }

    /// The path of the file with the content of this digest, `sha256:…`.
    #[allow(dead_code, reason = "not every test looks at the disk")]
    pub fn content(&self, digest: &str) -> PathBuf {
        self.state
            .path()
            .join("blobs")
            .join(digest.replace(':', "/"))
    }

    /// Runs a client to its end.
    #[allow(dead_code, reason = "not every test has its own client")]
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}
