//! Generic netlink: families of requests that are found by their name (`genl`).

use super::attributes::{Attributes, Writer, u16_at};
use super::socket::{Refused, Request, Socket};
use crate::kernel::{Error, ErrorKind};
use nix::libc;
use zeroize::Zeroize;

/// Length of `struct genlmsghdr`.
const HEAD: usize = 4;
// The family that knows all others: `GENL_ID_CTRL`, `CTRL_CMD_GETFAMILY`, `CTRL_ATTR_*` of
// `include/uapi/linux/genetlink.h`.
const CONTROL: u16 = 0x10;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// A family, asked over a socket of the calling thread's namespace.
pub struct Family {
    socket: Socket,
    id: u16,
    version: u8,
}

/// The attributes of an answer. They may have keys in them, and are wiped when they are dropped.
pub struct Answer {
    body: Vec<u8>,
}

impl Answer {
    /// An answer with this head and these attributes.
    #[cfg(test)]
    pub fn new(body: Vec<u8>) -> Self {
        Self { body }
    }

    /// All of it.
    #[cfg(test)]
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The attributes.
    pub fn attributes(&self) -> Attributes<'_> {
        Attributes::after(&self.body, HEAD)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl Family {
    /// The family `name` of the kernel. Asking for one loads its module, where there is one.
    ///
    /// # Errors
    ///
    /// If there is no such family (a module is missing), or no socket can be opened.
    pub fn open(name: &str, version: u8) -> Result<Self, Error> {
        let socket = Socket::generic()?;
        let mut body = Writer::new(&[GET_FAMILY, 1, 0, 0]);
        body.text(FAMILY_NAME, name);
        let missing = || {
            Error::new(
                ErrorKind::Missing,
                format!("speak to the kernel's {name}"),
                format!("this kernel has no {name} support"),
            )
        };
        let answer = match socket.get(CONTROL, body.bytes()) {
            Ok(answer) => answer,
            Err(refused) if refused.errno == libc::ENOENT => return Err(missing()),
            Err(refused) => return Err(refused.error(format!("speak to the kernel's {name}"))),
        };
        let id =
            Attributes::after(&answer.body, HEAD).get(FAMILY_ID).and_then(|id| u16_at(id, 0)).ok_or_else(missing)?;
        Ok(Self { socket, id, version })
    }

    /// The head of a request.
    pub fn message(&self, command: u8) -> Writer {
        Writer::new(&[command, self.version, 0, 0])
    }

    /// Sends a request and waits for its acknowledgement.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn request(&self, body: &Writer) -> Result<(), Refused> {
        let mut request = Request { kind: self.id, flags: 0, body: body.bytes().to_vec() };
        let done = self.socket.request(&request);
        request.body.zeroize();
        done
    }

    /// Sends a request and gives its one answer.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn get(&self, body: &Writer) -> Result<Answer, Refused> {
        self.socket.get(self.id, body.bytes()).map(|message| Answer { body: message.body })
    }

    /// All messages of a dump.
    ///
    /// # Errors
    ///
    /// The kernel's refusal, with its errno and its own text.
    pub fn dump(&self, body: &Writer) -> Result<Vec<Answer>, Refused> {
        let messages = self.socket.dump(self.id, body.bytes())?;
        Ok(messages
            .into_iter()
            .filter(|message| message.kind == self.id)
            .map(|message| Answer { body: message.body })
            .collect())
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.socket.wipe();
    }
}
