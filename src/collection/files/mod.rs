//! Delivery-channel objects read straight from a folder.
