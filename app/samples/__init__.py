"""The Samples page: find, read, judge and mend samples, take them in and hand them on."""
