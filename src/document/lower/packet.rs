//! What rules of NAT and firewall go by.
